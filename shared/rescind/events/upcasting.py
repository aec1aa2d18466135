"""Old wire names on their way to today's classes: pure functions over the parsed data, one per step.

A published wire is never changed but for fields that have a default. What breaks gets a new wire, an entry here, and
its old golden file stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Data = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Upcaster:
    """The wire that an old one became, and how its data is rewritten."""

    wire: str
    rewrite: Callable[[Data], Data]


UPCASTERS: Mapping[str, Upcaster] = {}
"""Old wire -> its next step. Empty as long as every event is at its first version."""


def upcast(wire: str, data: Data, upcasters: Mapping[str, Upcaster]) -> tuple[str, Data]:
    """Follow the steps until no further one is known."""
    while step := upcasters.get(wire):
        wire, data = step.wire, step.rewrite(data)
    return wire, data

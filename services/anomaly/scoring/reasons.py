"""A finding's evidence: a list of named log-likelihood ratios whose sum is the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Reason(NamedTuple):
    """`llr` in nats: above 0 speaks for an attacker, below 0 for the owner. `table`: where in the weights it stands."""

    table: str
    value: str
    llr: float

    @property
    def name(self) -> str:
        """What was looked at."""
        return self.table.partition(".")[0]


def total(reasons: Sequence[Reason]) -> float:
    """The score."""
    return round(sum(each.llr for each in reasons), 3)

"""How several processes share the parts of a log evenly, by leases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from eventlog.leased import Leased
from eventlog.sql.leases import Leases
from services.runtime import Loop

_PRESENT = "worker "


class Sharing:
    """What this process, `holder`, has of `parts` parts: as many as fall to each of the processes that live, rounded up."""

    def __init__(self, leases: Leases, holder: str, parts: int) -> None:
        self._leases = leases
        self._parts = parts
        self._present = f"{_PRESENT}{holder}"
        self._lock = threading.Lock()
        self._held: dict[str, Leased] = {}

    @property
    def loop(self) -> Loop:
        """Says that this process lives: a lease of its own."""
        return Loop("anomaly presence", Leased(self._leases, self._present, _wait).run)

    def alone(self, part: str, work: Callable[[threading.Event], None]) -> Callable[[threading.Event], None]:
        """The loop that does the work of one part while it is ours."""
        leased = Leased(self._leases, part, work, may=partial(self._may, part))
        self._held[part] = leased
        return leased.run

    def _may(self, part: str) -> bool:
        with self._lock:
            others = sum(leased.holding for name, leased in self._held.items() if name != part)
            return others < self._quota()

    def _quota(self) -> int:
        return -(-self._parts // max(1, self._leases.count(_PRESENT)))


def _wait(stop: threading.Event) -> None:
    stop.wait()

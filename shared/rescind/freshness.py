"""How old the verifier's copy of the revocation list can be, as far as it can prove.

The proof is an acknowledgement, never the arrival of a frame: the verifier notes its own clock when it *asks*; once it has
applied the `head` that is answered, its list was complete `age_ms` before that moment. So neither a proxy that holds frames back
nor a process that slept can look fresh, and no clock is compared between machines.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rescind.position import Position

LIST = ""
"""Stands for the list itself, apart from any issuer's log: the age that counts for foreign issuers, who send no facts."""

_MOST_PENDING = 64
_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


def boot_clock() -> float:
    """Milliseconds since some moment, counting the time that the machine was suspended where the system can tell."""
    return (time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)) * 1000


@dataclass(frozen=True, slots=True)
class _Proof:
    head: Position
    complete_at: Mapping[str, float]


class Freshness:
    """Fed by the follower, read by every verification. Clock and ages in milliseconds. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = boot_clock) -> None:
        self.clock = clock
        self.position: Position | None = None
        self._pending: list[_Proof] = []
        self._complete_at: Mapping[str, float] = {}
        self._lock = threading.Lock()

    def acked(self, asked_at: float, head: Position, age_ms: float, ages: Mapping[str, float]) -> None:
        """Take the answer to an acknowledgement that was asked at `asked_at` of this clock.

        `age_ms` is the age of the list itself, `ages` those of the issuers' logs behind it. A negative age counts as 0.
        """
        complete_at = {iss: asked_at - max(age, age_ms, 0.0) for iss, age in ages.items()}
        complete_at[LIST] = asked_at - max(age_ms, 0.0)
        with self._lock:
            if len(self._pending) >= _MOST_PENDING:
                self._pending.pop()  # the oldest are the first that can be proved; they must not starve
            self._pending.append(_Proof(head, complete_at))
            self._promote()

    def applied(self, position: Position) -> None:
        """The list now stands at `position`."""
        with self._lock:
            self.position = position
            self._promote()

    def age_ms(self, iss: str = LIST) -> float:
        """How long ago the list was complete for tokens of `iss`; infinite while that is unproven or `iss` is no source."""
        complete_at = self._complete_at.get(iss)
        return math.inf if complete_at is None else self.clock() - complete_at

    def _promote(self) -> None:
        position = self.position
        if position is None:
            return
        proven = dict(self._complete_at)
        for proof in self._pending:
            # A head of an older epoch comes from a service that has not noticed its own end: it proves nothing.
            if proof.head.epoch == position.epoch and proof.head.seq <= position.seq:
                for iss, at in proof.complete_at.items():
                    proven[iss] = max(at, proven.get(iss, -math.inf))
        self._pending = [proof for proof in self._pending if proof.head > position]
        self._complete_at = proven

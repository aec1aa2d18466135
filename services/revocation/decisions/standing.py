"""How complete the list is: its head and the ages behind it, one pair that is only ever replaced as a whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rescind.position import Position


@dataclass(frozen=True, slots=True)
class Ages:
    """Milliseconds. `own`: of the list itself; `sources`: of each issuer's log behind it."""

    own: int
    sources: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """The list is at `head`, and nothing is missing from it that was committed before certain times.

    `complete`: what this database committed before then is in the list. `sources`: so is what each source committed before
    its time (the skew is taken off already). Both are databases' clocks; `now` is what ours said when this was read, and
    `taken` what this process's own clock said just before that.
    """

    head: Position
    taken: float
    now: int
    complete: int
    sources: Mapping[str, int]

    def ages(self, clock: float) -> Ages:
        """Give the ages at a moment of this process's clock. They grow while nothing new is read, whatever the reason."""
        now = self.now + max(0.0, clock - self.taken)
        return Ages(_age(now, self.complete), {iss: _age(now, time) for iss, time in self.sources.items()})


def _age(now: float, time: int) -> int:
    return max(0, round(now - time))

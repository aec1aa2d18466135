"""Receipts: which verifiers have applied a revocation, and after how many milliseconds. Pure.

All times are milliseconds of the revocation database's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rescind.position import Position


class State(Enum):
    """Whether an instance was heard within its own `max_staleness`; if not, what it does meanwhile by its own policy."""

    LIVE = "live"
    DENYING = "stale, denying"
    MAY_ACCEPT = "stale, may accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One instance of a verifier, as last heard. `since`: when it was heard first."""

    verifier: str
    instance: str
    at: Position
    since: int
    heard: int
    max_staleness: int
    policy: str

    def state(self, now: int) -> State:
        """How it stands."""
        if now - self.heard <= self.max_staleness:
            return State.LIVE
        return State.DENYING if self.policy == "strict" else State.MAY_ACCEPT


@dataclass(frozen=True, slots=True)
class Reached:
    """An instance, and when it was first at a certain position or beyond (None: not known)."""

    heard: Heard
    applied: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a receipt. `after_ms` is None where it is not applied, no longer known, or `joined_later`."""

    verifier: str
    instance: str
    applied: bool
    after_ms: int | None
    joined_later: bool
    last_heard: int
    state: State


@dataclass(frozen=True, slots=True)
class Receipt:
    """`complete`: every live instance has applied it."""

    lines: tuple[Line, ...]

    @property
    def pending(self) -> Sequence[Line]:
        """The live instances that have not applied it."""
        return [line for line in self.lines if line.state is State.LIVE and not line.applied]

    @property
    def complete(self) -> bool:
        """Nobody who may accept the revoked target within its `max_staleness` is left."""
        return not self.pending


def receipt(instances: Sequence[Reached], *, position: Position | None, arrived: int, now: int, known_from: int) -> Receipt:
    """Write the receipt of a fact that arrived at `arrived` and stands at `position` (None: it has none yet).

    `known_from`: acknowledgements before this are no longer kept, so that no delay can be told.
    """
    return Receipt(tuple(_line(each, position, arrived, now, known_from) for each in instances))


def _line(each: Reached, position: Position | None, arrived: int, now: int, known_from: int) -> Line:
    heard = each.heard
    joined_later = heard.since > arrived
    applied = position is not None and heard.at >= position
    told = applied and each.applied is not None and not joined_later and arrived >= known_from
    return Line(
        verifier=heard.verifier,
        instance=heard.instance,
        applied=applied,
        after_ms=max(0, (each.applied or 0) - arrived) if told else None,
        joined_later=joined_later,
        last_heard=heard.heard,
        state=heard.state(now),
    )

"""What a revocation means for sessions, in the issuer's own records. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from rescind.vocabulary import LIFTABLE, Effect, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """One part of one revocation.

    `whole`: every session that it is looked at with. Else those with `sn` <= this one but for `except_sn`, or those with
    `auth_time` <= this one (seconds). `at` is in milliseconds. `forever`: no lift takes it back, whatever the reason.
    """

    id: str  # the revocation
    effect: Effect
    reason: Reason
    at: int
    whole: bool = False
    sn: int = -1
    except_sn: int = -1
    auth_time: int = -1
    forever: bool = False

    def covers(self, *, sn: int, auth_time: int) -> bool:
        """Whether a session falls under it."""
        return self.whole or (sn <= self.sn and sn != self.except_sn) or auth_time <= self.auth_time

    def is_final(self, now: int, lift_window: int) -> bool:
        """Whether it cannot be lifted (any more); `lift_window` in milliseconds."""
        return self.forever or self.reason not in LIFTABLE or now >= self.at + lift_window


class State(StrEnum):
    """How a session stands, the strictest last."""

    LIVE = "live"
    HELD = "held"
    SUSPENDED = "suspended"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session stands and under which revocation. `at` in milliseconds."""

    state: State
    why: str = ""
    at: int = 0
    revocation_id: str = ""


LIVING = Standing(State.LIVE)


def standing(restrictions: Iterable[Restriction], *, sn: int, auth_time: int, now: int, lift_window: int) -> Standing:
    """Judge by the strictest that covers the session; the earliest of equals says why."""
    judged = LIVING
    for each in sorted(restrictions, key=lambda each: each.at):
        if each.covers(sn=sn, auth_time=auth_time):
            state = _state(each, now, lift_window)
            if _RANK[state] > _RANK[judged.state]:
                judged = Standing(state, each.reason.value, each.at, each.id)
    return judged


def first_alive(restrictions: Iterable[Restriction], now_s: int) -> int:
    """The `auth_time` of a sign-in at `now_s`: after every cut-off that is known, for these go by whole seconds."""
    return max([now_s, *(each.auth_time + 1 for each in restrictions)])


def added(restrictions: Sequence[Restriction], new: Restriction) -> tuple[Restriction, ...]:
    """With `new` beside the others, and without those that it makes superfluous."""
    return (*(each for each in restrictions if each != new and not _supersedes(new, each)), new)


def lifted(restrictions: Sequence[Restriction], revocation_id: str) -> tuple[Restriction, ...]:
    """Without all parts of a revocation, but for those that no lift takes back."""
    return tuple(each for each in restrictions if each.id != revocation_id or each.forever)


def is_known(restrictions: Sequence[Restriction], new: Restriction) -> bool:
    """Whether `new` adds nothing: it is there already, or a final end covers all of it."""
    return any(each.id == new.id or _supersedes(each, new) for each in restrictions)


def dump(restrictions: Sequence[Restriction]) -> str:
    """JSON for a row."""
    return json.dumps([asdict(each) for each in restrictions], separators=(",", ":")) if restrictions else "[]"


def load(text: str) -> tuple[Restriction, ...]:
    """Read `dump` back."""
    if text == "[]":
        return ()
    return tuple(
        replace(each, effect=Effect(each.effect), reason=Reason(each.reason))
        for each in (Restriction(**row) for row in json.loads(text))
    )


_RANK = {state: rank for rank, state in enumerate(State)}


def _state(restriction: Restriction, now: int, lift_window: int) -> State:
    if restriction.effect is Effect.HOLD:
        return State.HELD
    return State.ENDED if restriction.is_final(now, lift_window) else State.SUSPENDED


def _supersedes(new: Restriction, old: Restriction) -> bool:
    """A final end makes every older cut superfluous that covers nothing beyond it."""
    if new.effect is not Effect.END or new.reason in LIFTABLE or new.except_sn not in (-1, old.except_sn):
        return False
    return not old.whole and old.auth_time <= new.auth_time and old.sn <= new.sn and not old.forever

"""The fact log folded into the revocation list: what changes when a fact arrives. Pure; facts come in position order.

A revocation has *parts*: what its author named, and what the issuer answered. It counts until it is lifted, with all of its
parts, also those still to come. The verdict on a target is folded from the parts of all unlifted revocations that name it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rescind.events.revocation import (
    AutomationCapped,
    Fact,
    HorizonMoved,
    RevocationExtended,
    RevocationLifted,
    RevocationMade,
    SourceAdded,
    SourceRemoved,
)
from rescind.position import Position
from rescind.revocations import ALWAYS, Change, Cut, Verdict, fold_cuts
from rescind.vocabulary import Effect, Target, TargetType

_WHOLE = frozenset({TargetType.SESSION, TargetType.TOKEN, TargetType.KEY})
_NO_REASON = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a revocation says. `sid` is the session's, where that is the target."""

    target: Target
    effect: Effect
    cut: Cut
    reason: str
    sid: str = ""
    cv: int = -1
    iat: int = -1


@dataclass(slots=True)
class Revocation:
    """What stands under one id. `position` is that of its latest fact."""

    position: Position
    parts: tuple[Part, ...] = ()
    lifted: bool = False


@dataclass(slots=True)
class OfIssuer:
    """One issuer's revocations, those with the oldest latest fact first. Ids of one issuer never touch another's."""

    revocations: dict[str, Revocation] = field(default_factory=dict)
    naming: dict[Target, tuple[str, ...]] = field(default_factory=dict)  # target -> ids, in order of arrival
    horizon: int = -1  # ms of the issuer's clock: what it revoked until then concerns no living token
    removed: Cut | None = None  # everything ended when the source was removed


@dataclass(slots=True)
class Folded:
    """The fold's memory: an `OfIssuer` per `iss`."""

    issuers: dict[str, OfIssuer] = field(default_factory=dict)

    def of(self, iss: str) -> OfIssuer:
        """What belongs to an issuer."""
        return self.issuers.setdefault(iss, OfIssuer())

    def oldest(self, iss: str) -> Position | None:
        """The position of what would be dropped first of this issuer; None when nothing could be."""
        found = self.issuers.get(iss, OfIssuer()).revocations.values()
        return next((each.position for each in found if _may_go(each)), None)


def fold(state: Folded, position: Position, fact: Fact) -> Sequence[Change]:
    """Take the fact at `position` into `state`; the verdicts that are others now."""
    match fact:
        case RevocationMade() | RevocationExtended():
            return _extend(state.of(fact.iss), position, fact)
        case RevocationLifted():
            return _lift(state.of(fact.iss), position, fact.revocation_id)
        case HorizonMoved():
            return _drop(state.of(fact.iss), Position(fact.epoch, fact.seq), fact.time)
        case SourceRemoved():
            state.of(fact.iss).removed = ALWAYS
            return _verdicts(state.of(fact.iss), (_issuer(fact.iss),))
        case SourceAdded():
            return _readmit(state.of(fact.iss), fact)
        case AutomationCapped():
            return ()


def part_of(fact: RevocationMade | RevocationExtended) -> Part:
    """What a fact says about its target. ValueError for an unknown effect or type of target."""
    kind, effect = TargetType(fact.target_type), Effect(fact.effect)
    by_number = kind is TargetType.SESSION and fact.sn >= 0
    target = Target(kind, fact.iss, "" if by_number else fact.target_id, fact.sn if by_number else -1)
    auth_time, iat = (fact.cut_auth_time, fact.iat) if isinstance(fact, RevocationMade) else (-1, -1)
    cut = ALWAYS if kind in _WHOLE else Cut(fact.cut_sn, fact.cut_except, auth_time)
    sid = fact.target_id if kind is TargetType.SESSION else ""
    return Part(target, effect, cut, fact.reason, sid, fact.cv, iat)


def _extend(of: OfIssuer, position: Position, fact: RevocationMade | RevocationExtended) -> Sequence[Change]:
    if fact.at <= of.horizon:
        return ()
    part = part_of(fact)
    found = _touched(of, fact.revocation_id, position)
    found.parts = (*found.parts, part)
    named = of.naming.get(part.target, ())
    if fact.revocation_id not in named:
        of.naming[part.target] = (*named, fact.revocation_id)
    by_sid = Target(TargetType.SESSION, fact.iss, part.sid)  # once the number is known, the number alone is listed
    touched = {part.target: None} | ({by_sid: None} if by_sid in of.naming else {})
    return _verdicts(of, tuple(touched))


def _lift(of: OfIssuer, position: Position, revocation_id: str) -> Sequence[Change]:
    found = _touched(of, revocation_id, position)
    if found.lifted:
        return ()
    found.lifted = True
    return _verdicts(of, tuple(dict.fromkeys(part.target for part in found.parts)))


def _drop(of: OfIssuer, upto: Position, time: int) -> Sequence[Change]:
    of.horizon = max(of.horizon, time)
    touched: dict[Target, None] = {}
    for key in tuple(_until(of, upto)):
        for part in of.revocations.pop(key).parts:
            left = tuple(each for each in of.naming.get(part.target, ()) if each != key)
            if left:
                of.naming[part.target] = left
            else:
                of.naming.pop(part.target, None)
            touched[part.target] = None
    return _verdicts(of, tuple(touched))


def _until(of: OfIssuer, upto: Position) -> Iterator[str]:
    for key, revocation in of.revocations.items():
        if revocation.position > upto:
            return
        if _may_go(revocation):
            yield key


def _may_go(revocation: Revocation) -> bool:
    """A key's never: whoever has it can sign anything for as long as a verifier knows it."""
    return all(part.target.type is not TargetType.KEY for part in revocation.parts)


def _readmit(of: OfIssuer, fact: SourceAdded) -> Sequence[Change]:
    if of.removed != ALWAYS:
        return ()
    of.removed = Cut(auth_time=fact.at // 1000)  # what began before stays ended
    return _verdicts(of, (_issuer(fact.iss),))


def _touched(of: OfIssuer, revocation_id: str, position: Position) -> Revocation:
    """Give the revocation of this id, made where it is missing, as the one with the latest fact."""
    found = of.revocations.pop(revocation_id, None) or Revocation(position)
    found.position = position
    of.revocations[revocation_id] = found
    return found


def _verdicts(of: OfIssuer, targets: Sequence[Target]) -> Sequence[Change]:
    return [Change(target, _verdict(of, target)) for target in targets]


def _verdict(of: OfIssuer, target: Target) -> Verdict | None:
    revocations = [of.revocations[key] for key in of.naming.get(target, ())]
    parts = [part for each in revocations if not each.lifted for part in _standing(each, target)]
    ends = [part for part in parts if part.effect is Effect.END]
    holds = [part for part in parts if part.effect is Effect.HOLD]
    refreshes = [part for part in parts if part.effect is Effect.REFRESH]
    removed = of.removed if target.type is TargetType.ISSUER else None
    cuts = [part.cut for part in ends] + ([removed] if removed else [])
    if not parts and not cuts:
        return None
    deciding = ends or holds or refreshes
    return Verdict(
        end=fold_cuts(cuts) if cuts else None,
        hold=fold_cuts(part.cut for part in holds) if holds else None,
        step_up_id=_step_up(of, target) if holds else "",
        cv=max((part.cv for part in refreshes), default=-1),
        iat=max((part.iat for part in refreshes), default=-1),
        reason=deciding[-1].reason if deciding else _NO_REASON,
    )


def _standing(revocation: Revocation, target: Target) -> Iterator[Part]:
    """Give a revocation's parts on a target, without those that a later part of the same revocation made superfluous."""
    mine = [part for part in revocation.parts if part.target == target]
    if target.type is TargetType.SESSION and target.sn < 0:
        numbered = {part.sid for part in revocation.parts if part.target.sn >= 0}
        mine = [part for part in mine if part.sid not in numbered]
    versioned = any(part.cv >= 0 for part in mine)
    for part in mine:
        if not (versioned and part.effect is Effect.REFRESH and part.cv < 0):
            yield part


def _step_up(of: OfIssuer, target: Target) -> str:
    """Give the way out of the latest hold; a step-up goes by the id of its revocation."""
    holding = [
        key
        for key in of.naming[target]
        if not of.revocations[key].lifted
        and any(part.effect is Effect.HOLD and part.target == target for part in of.revocations[key].parts)
    ]
    return holding[-1]


def _issuer(iss: str) -> Target:
    return Target(TargetType.ISSUER, iss, iss)

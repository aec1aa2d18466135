"""The revocation list: the pure class that the service and every verifier share.

Session numbers that ended for good, which is nearly all of it, stand in a lean set per issuer; everything else in dicts.
Two lists that applied the same changes up to the same position have the same bytes, hence the same digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from rescind import snapshots
from rescind.claims import Claims
from rescind.errors import Denial, Denied, InvalidFeed
from rescind.numbers import NumberSet
from rescind.position import Position
from rescind.verdicts import ALWAYS, Change, Cut, Verdict, fold_cuts
from rescind.vocabulary import Target, TargetType

__all__ = ["ALWAYS", "Change", "Cut", "RevocationList", "Verdict", "fold_cuts"]

_ENDED = {
    TargetType.KEY: (Denial.KEY_REVOKED, "the key that signed the token is revoked"),
    TargetType.TOKEN: (Denial.TOKEN_REVOKED, "the token is revoked"),
    TargetType.SESSION: (Denial.SESSION_REVOKED, "the session has ended"),
    TargetType.SUBJECT: (Denial.SESSION_REVOKED, "the sessions of this account have ended"),
    TargetType.CLIENT: (Denial.SESSION_REVOKED, "the sessions of this client have ended"),
    TargetType.ISSUER: (Denial.SESSION_REVOKED, "the sessions of this issuer have ended"),
}
_SESSION_ENDED = Denied(*_ENDED[TargetType.SESSION])
_OUTDATED = Denied(Denial.TOKEN_OUTDATED, "the claims have changed since: fetch a new token by a refresh")
_ORDER = (
    TargetType.KEY,
    TargetType.TOKEN,
    TargetType.SESSION,  # by number
    TargetType.SESSION,  # by sid
    TargetType.SUBJECT,
    TargetType.CLIENT,
    TargetType.ISSUER,
)
_NOTHING = (None,) * len(_ORDER)

_START = Position(0, 0)

Name = str | int


class _OfIssuer:
    """What the list says about one issuer's tokens. `sessions` has numbers and sids as keys."""

    __slots__ = ("by_type", "clients", "ended", "issuer", "keys", "sessions", "subjects", "tokens")

    def __init__(self) -> None:
        self.ended = NumberSet()
        self.sessions: dict[Name, Verdict] = {}
        self.tokens: dict[Name, Verdict] = {}
        self.subjects: dict[Name, Verdict] = {}
        self.clients: dict[Name, Verdict] = {}
        self.keys: dict[Name, Verdict] = {}
        self.issuer: dict[Name, Verdict] = {}
        self.by_type = {
            TargetType.SESSION: self.sessions,
            TargetType.TOKEN: self.tokens,
            TargetType.SUBJECT: self.subjects,
            TargetType.CLIENT: self.clients,
            TargetType.KEY: self.keys,
            TargetType.ISSUER: self.issuer,
        }


class RevocationList:
    """The effective verdict on every target that still matters, at `position`.

    One thread writes and takes snapshots; `judge` needs no lock, and never sees a target that goes from one verdict to another
    as if it had none.
    """

    def __init__(self, position: Position = _START) -> None:
        self.position = position
        self._issuers: dict[str, _OfIssuer] = {}

    def __len__(self) -> int:
        """How many targets are listed."""
        return sum(len(of.ended) + sum(map(len, of.by_type.values())) for of in self._issuers.values())

    def apply(self, position: Position, changes: Sequence[Change]) -> None:
        """Go on to `position`. A position that is not above the list's own is a duplicate and changes nothing.

        Of several changes of one target the last counts. Nothing is set free before everything is refused that is to be.
        """
        if position <= self.position:
            return
        last = {_key(change.target): change for change in changes}
        free = [change for change in last.values() if change.verdict is None]
        for change in (*(change for change in last.values() if change.verdict is not None), *free):
            self._put(change.target, change.verdict)
        self.position = position

    def clear(self, targets: Iterable[Target]) -> None:
        """Take targets out of the list of an older epoch that is kept beside the new one."""
        for target in targets:
            self._put(target, None)

    def judge(self, claims: Claims) -> Denied | None:
        """Give the strictest verdict over all that apply to a token: end, then hold, then refresh; None if it may pass."""
        of = self._issuers.get(claims.iss)
        if of is None:
            return None
        found = (
            of.keys.get(claims.kid),
            of.tokens.get(claims.jti),
            of.sessions.get(claims.sn),
            of.sessions.get(claims.sid or ""),
            of.subjects.get(claims.subject),
            of.clients.get(claims.client_id),
            of.issuer.get(claims.iss),
        )
        if claims.sn in of.ended:
            return _SESSION_ENDED
        if found != _NOTHING:
            return _strictest(claims, found)
        return self.judge(claims) if claims.sn in of.sessions else None  # it came there from `ended` between the two looks

    def snapshot(self) -> bytes:
        """Write the list, canonical and compact (`rescind.snapshots` says how)."""
        numbers = {iss: of.ended for iss, of in self._issuers.items() if len(of.ended)}
        named = [change for iss, of in self._issuers.items() for change in _named(iss, of)]
        return snapshots.encode(snapshots.Snapshot(self.position, numbers, named))

    def digest(self) -> str:
        """SHA-256 of the snapshot, in hex."""
        return hashlib.sha256(self.snapshot()).hexdigest()

    @classmethod
    def load(cls, data: bytes) -> RevocationList:
        """Read a snapshot; InvalidFeed if it is not one, byte for byte."""
        snapshot = snapshots.decode(data)
        loaded = cls(snapshot.position)
        for iss, numbers in snapshot.ended.items():
            loaded._of(iss).ended = numbers
        for change in snapshot.changes:
            loaded._put(change.target, change.verdict)
        if loaded.snapshot() != data:
            raise InvalidFeed("a snapshot is not in its canonical form")
        return loaded

    def _of(self, iss: str) -> _OfIssuer:
        of = self._issuers.get(iss)
        if of is None:
            of = self._issuers[iss] = _OfIssuer()
        return of

    def _put(self, target: Target, verdict: Verdict | None) -> None:
        of = self._of(target.iss)
        name = _key(target)[2]
        if isinstance(name, int) and verdict is not None and verdict.end == ALWAYS:
            of.ended.add(name)  # before it leaves the other place: a reader between the two must find it in one
            of.sessions.pop(name, None)
            return
        if verdict is None or verdict.empty:
            of.by_type[target.type].pop(name, None)
        else:
            of.by_type[target.type][name] = verdict
        if isinstance(name, int):
            of.ended.discard(name)


def _key(target: Target) -> tuple[TargetType, str, Name]:
    return target.type, target.iss, target.sn if target.sn >= 0 else target.id


def _named(iss: str, of: _OfIssuer) -> Iterator[Change]:
    for kind, verdicts in of.by_type.items():
        for name, verdict in verdicts.items():
            target = Target(kind, iss, "", name) if isinstance(name, int) else Target(kind, iss, name)
            yield Change(target, verdict)


def _strictest(claims: Claims, found: Iterable[Verdict | None]) -> Denied | None:
    hold = outdated = None
    for kind, verdict in zip(_ORDER, found, strict=True):
        if verdict is None:
            continue
        if verdict.end is not None and verdict.end.covers(claims):
            denial, sentence = _ENDED[kind]
            return Denied(denial, f"{sentence}: {verdict.reason}" if verdict.reason else sentence)
        if hold is None and verdict.hold is not None and verdict.hold.covers(claims):
            hold = Denied(Denial.STEP_UP_REQUIRED, "the session is on hold until a step-up is passed", verdict.step_up_id)
        if verdict.outdates(claims):
            outdated = _OUTDATED
    return hold or outdated

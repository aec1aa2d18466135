"""One session: what it is and what happens to it. Pure: commands and `now` in, the next state and events out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rescind.events.session import (
    DeviceRenamed,
    RefreshTokenReused,
    SessionClaimsChanged,
    SessionExpired,
    SessionReinstated,
    SessionRevoked,
    TokenIssued,
    TokenRefreshed,
    TokenReplayed,
)
from rescind.vocabulary import LIFTABLE, Effect, Reason
from services.issuer.decisions import restriction
from services.issuer.decisions.binding import UNANCHORED, Anchor, anchored
from services.issuer.decisions.presence import UNKNOWN, Presence
from services.issuer.decisions.restriction import Restriction, Standing
from services.issuer.decisions.rotation import Rotation
from services.issuer.decisions.scopes import words
from services.issuer.settings import IssuerSettings

SessionEvent = (
    TokenIssued
    | TokenRefreshed
    | TokenReplayed
    | RefreshTokenReused
    | SessionRevoked
    | SessionReinstated
    | SessionClaimsChanged
    | SessionExpired
    | DeviceRenamed
)

FIRST_GENERATION = 1
EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The personal part of a session; it is stored sealed. `last` is where the last rotation came from."""

    anchor: Anchor = UNANCHORED
    last: Presence = UNKNOWN
    device_name: str | None = None
    claims: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session's state. Times in ms, `auth_time` in seconds. `scopes` None: those of its subject.

    `cv`: the least claims version that its tokens may have. `closed_at` 0: not known to be over for good.
    """

    sid: str
    sn: int
    subject_id: str
    client_id: str
    secret: bytes = field(repr=False)
    version: int  # of its stream
    auth_time: int
    created: int
    last_seen: int
    remember_me: bool
    bind_ip: str
    bind_device: str
    scopes: frozenset[str] | None
    cv: int
    rotation: Rotation
    restrictions: tuple[Restriction, ...] = ()
    closed_at: int = 0
    closed_why: str = ""
    profile: Profile = Profile()

    def standing(self, others: tuple[Restriction, ...], *, now: int, lift_window: int) -> Standing:
        """How it stands under its own restrictions and `others` (its subject's, its client's, the issuer's)."""
        return restriction.standing(
            (*self.restrictions, *others), sn=self.sn, auth_time=self.auth_time, now=now, lift_window=lift_window
        )


@dataclass(frozen=True, slots=True)
class Step:
    """The next state and what is to be written about it."""

    session: Session
    events: tuple[SessionEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """What a new session is made from."""

    sid: str
    subject_id: str
    client_id: str
    secret: bytes = field(repr=False)
    scopes: frozenset[str] | None
    claims: Mapping[str, object]
    remember_me: bool
    bind_ip: str
    bind_device: str
    device_name: str | None


def expiry(settings: IssuerSettings, *, created: int, remember_me: bool, now: int) -> int:
    """When a refresh token made now ends, in seconds: sliding, under the session's absolute limit."""
    end = now // 1000 + (settings.remember_ttl if remember_me else settings.refresh_ttl)
    return min(end, created // 1000 + settings.absolute_limit) if settings.absolute_limit else end


def begin(command: Begin, presence: Presence, settings: IssuerSettings, *, kid: str, auth_time: int, now: int) -> Session:
    """Make a session whose number the database gives; `issued` says it once the number is known."""
    exp = expiry(settings, created=now, remember_me=command.remember_me, now=now)
    return Session(
        sid=command.sid,
        sn=-1,
        subject_id=command.subject_id,
        client_id=command.client_id,
        secret=command.secret,
        version=1,  # its first event is written with it
        auth_time=auth_time,
        created=now,
        last_seen=now,
        remember_me=command.remember_me,
        bind_ip=command.bind_ip,
        bind_device=command.bind_device,
        scopes=command.scopes,
        cv=0,
        rotation=Rotation(generation=FIRST_GENERATION, iat=now // 1000, exp=exp, kid=kid, at=now),
        profile=Profile(anchor=anchored(presence), last=presence, device_name=command.device_name, claims=command.claims),
    )


def issued(session: Session, *, scopes: frozenset[str], cv: int) -> TokenIssued:
    """The first event. `scopes` and `cv` as in the first access token."""
    return TokenIssued(
        sid=session.sid,
        sn=session.sn,
        client_id=session.client_id,
        auth_time=session.auth_time,
        expires=session.rotation.exp * 1000,
        remember_me=session.remember_me,
        cv=cv,
        scope=words(scopes),
        bind_ip=session.bind_ip,
        bind_device=session.bind_device,
        context_known=session.profile.last.known,
    )


def is_known(session: Session, revocation_id: str) -> bool:
    """Whether a revocation changes nothing: the session is over for good, or stands under it already."""
    return bool(session.closed_at) or any(each.id == revocation_id for each in session.restrictions)


def revoke(
    session: Session, *, revocation_id: str, effect: Effect, reason: Reason, by: str, now: int, answers: bool = False
) -> Step:
    """End or hold the session; the same revocation twice, and anything after its final end, changes nothing."""
    if is_known(session, revocation_id):
        return Step(session)
    event = SessionRevoked(
        revocation_id=revocation_id,
        sid=session.sid,
        sn=session.sn,
        effect=effect.value,
        reason=reason.value,
        by=by,
        answers=answers,
    )
    return Step(evolve(session, event, now), (event,))


def reinstate(session: Session, *, revocation_id: str) -> Step:
    """Take a revocation back; unknown ones change nothing."""
    if all(each.id != revocation_id for each in session.restrictions):
        return Step(session)
    event = SessionReinstated(revocation_id=revocation_id, sid=session.sid, sn=session.sn)
    return Step(evolve(session, event, 0), (event,))


def expire(session: Session, *, limit: str, now: int) -> Step:
    """Its end was noticed. `limit`: refresh, absolute or inactivity."""
    if session.closed_at:
        return Step(session)
    event = SessionExpired(sid=session.sid, sn=session.sn, limit=limit)
    return Step(evolve(session, event, now), (event,))


def rename(session: Session, name: str) -> Step:
    """Name the device; the name is the event's personal part."""
    renamed = replace(session, profile=replace(session.profile, device_name=name))
    return Step(renamed, (DeviceRenamed(sid=session.sid, sn=session.sn),))


def change_claims(
    session: Session,
    *,
    scopes: frozenset[str] | None,
    claims: Mapping[str, object] | None,
    cv: int,
    revocation_id: str,
    by: str,
) -> Step:
    """Change scopes or claims (None: as they are); tokens with a claims version below `cv` are refused."""
    event = SessionClaimsChanged(revocation_id=revocation_id, sid=session.sid, sn=session.sn, cv=cv, by=by)
    changed = replace(
        evolve(session, event, 0),
        scopes=session.scopes if scopes is None else scopes,
        profile=session.profile if claims is None else replace(session.profile, claims=dict(claims)),
    )
    return Step(changed, (event,))


def evolve(session: Session, event: SessionEvent, at: int) -> Session:
    """What an event changes, as far as the event tells (a child's key and the personal part are in the state alone)."""
    match event:
        case SessionRevoked():
            return _restricted(session, event, at)
        case SessionReinstated():
            return replace(session, restrictions=restriction.lifted(session.restrictions, event.revocation_id))
        case SessionExpired():
            return replace(session, closed_at=at, closed_why=EXPIRED)
        case SessionClaimsChanged():
            return replace(session, cv=event.cv)
        case _:
            return session


def _restricted(session: Session, event: SessionRevoked, at: int) -> Session:
    new = Restriction(id=event.revocation_id, effect=Effect(event.effect), reason=Reason(event.reason), at=at, whole=True)
    restricted = replace(session, restrictions=restriction.added(session.restrictions, new))
    if new.effect is Effect.END and new.reason not in LIFTABLE:
        return replace(restricted, closed_at=at, closed_why=event.reason)
    return restricted


def limit_reached(session: Session, settings: IssuerSettings, now: int) -> str:
    """Which limit the session has passed: absolute, refresh, inactivity, or ""."""
    if now >= session.rotation.exp * 1000:
        capped = settings.absolute_limit and session.rotation.exp >= session.created // 1000 + settings.absolute_limit
        return "absolute" if capped else "refresh"
    if settings.inactivity_limit and now >= session.last_seen + settings.inactivity_limit * 1000:
        return "inactivity"
    return ""

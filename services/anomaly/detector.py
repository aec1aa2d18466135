"""The first floor's one hard rule: a refresh whose network and device both changed since the last one.

Pure: a session's state and one of its events in, the next state and perhaps a finding out. No clock, no look-up, no chance:
the same log gives the same findings, however it is cut into batches and whatever is delivered twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum

from eventlog.port import Recorded
from rescind.events.personal import Personal
from rescind.events.registry import AnyEvent
from rescind.events.session import RefreshTokenReused, TokenIssued, TokenRefreshed
from services.anomaly.comparing import device_changed, is_telling, network_changed


class Rule(StrEnum):
    """What was seen."""

    MOVED = "network_and_device_changed"
    REUSED = "refresh_token_reused"


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a session's holder was seen: the personal part of one event, sealed, and opened while its key exists."""

    event_id: str
    subject: str
    time: int
    sealed: bytes
    personal: Personal | None = field(default=None, compare=False)  # None: nothing was told, or the key is gone


@dataclass(frozen=True, slots=True)
class Session:
    """What the detector remembers of a session. `last`: the last sign-in or refresh that told both network and device."""

    sid: str
    subject: str
    version: int  # of the session's stream: what is not above it was seen before
    expires: int
    last: Sighting | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something seen. `revocation_id` is the issuer's own answer where it gave one, else empty until ours is made."""

    id: str
    rule: Rule
    subject: str
    sid: str
    sn: int
    time: int
    before: Sighting | None
    now: Sighting
    cause: str = ""
    revocation_id: str = ""


Step = tuple[Session | None, Finding | None]


def observe(session: Session | None, recorded: Recorded, event: AnyEvent, personal: Personal | None) -> Step:
    """Look at one event of the session's stream; `personal` is its opened personal part."""
    if session is not None and recorded.version <= session.version:
        return session, None
    now = Sighting(recorded.event.id, recorded.event.subject, recorded.event.time, recorded.event.personal, personal)
    match event:
        case TokenIssued():
            return _moved(session, recorded, event, now), None
        case TokenRefreshed():
            return _moved(session, recorded, event, now), _compare(session, event, now)
        case RefreshTokenReused():
            return session, _reuse(session, event, now)
        case _:
            return session, None


def finding_id(rule: Rule, event_id: str) -> str:
    """The same event always gives the same finding; the id is also the revocation's idempotency key."""
    return hashlib.sha256(f"{rule}:{event_id}".encode()).hexdigest()[:32]


def _moved(session: Session | None, recorded: Recorded, event: TokenIssued | TokenRefreshed, now: Sighting) -> Session:
    last = now if is_telling(now.personal) else (session.last if session else None)
    return Session(event.sid, now.subject, recorded.version, event.expires, last)


def _compare(session: Session | None, event: TokenRefreshed, now: Sighting) -> Finding | None:
    last = session.last if session else None
    if last is None or last.personal is None or now.personal is None:
        return None
    if not network_changed(last.personal, now.personal) or not device_changed(last.personal, now.personal):
        return None
    return Finding(finding_id(Rule.MOVED, now.event_id), Rule.MOVED, now.subject, event.sid, event.sn, now.time, last, now)


def _reuse(session: Session | None, event: RefreshTokenReused, now: Sighting) -> Finding:
    found = Finding(
        finding_id(Rule.REUSED, now.event_id),
        Rule.REUSED,
        now.subject,
        event.sid,
        event.sn,
        now.time,
        session.last if session else None,
        now,
    )
    return replace(found, cause=event.cause, revocation_id=event.revocation_id)

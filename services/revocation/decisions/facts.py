"""Facts of the revocation log: how they are written, read, and made from an issuer's events."""

from __future__ import annotations

from eventlog.port import Event, Recorded
from rescind.events.administration import ClientDeleted
from rescind.events.registry import UnknownEventType, decode, encode, may_touch_list
from rescind.events.revocation import (
    Fact,
    RevocationExtended,
    RevocationLifted,
    RevocationMade,
    SourceAdded,
    SourceRemoved,
)
from rescind.events.session import SessionClaimsChanged, SessionReinstated, SessionRevoked
from rescind.events.shape import InvalidEvent
from rescind.events.subject import SubjectReinstated, SubjectRevoked, SubjectScopesChanged
from rescind.vocabulary import LIFTABLE, Effect, Reason, TargetType

_ANSWERED_BY = "issuer"
_UNDER_WAY_S = 60
"""What a client began while another process deleted it is over, too; its id never comes again."""


class UnreadableFact(Exception):
    """A record that may hold a revocation cannot be read. Halt: it must never be skipped. The message names place and type."""


def stream_of(fact: Fact) -> str:
    """Every revocation has a stream, by its id; the sources and the list's own housekeeping have one each."""
    if isinstance(fact, RevocationMade | RevocationExtended | RevocationLifted):
        return f"revocation-{fact.revocation_id}"
    return "sources" if fact.wire.startswith("source.") else "list"


def target_of(fact: Fact) -> str:
    """What a fact is about, `TYPE:ISS:ID`; a subject's name alone, for it holds its issuer. "" for a lift and housekeeping."""
    match fact:
        case RevocationMade(target_type=TargetType.SUBJECT) | RevocationExtended(target_type=TargetType.SUBJECT):
            return fact.target_id
        case RevocationMade() | RevocationExtended():
            return f"{fact.target_type}:{fact.iss}:{fact.target_id}"
        case SourceAdded() | SourceRemoved():
            return f"{TargetType.ISSUER.value}:{fact.iss}:{fact.iss}"
        case _:
            return ""


def event_of(fact: Fact, *, id: str, arrived: int) -> Event:  # noqa: A002  (the event's own name for it)
    """Write a fact for the log. `arrived` is the revocation database's clock in milliseconds."""
    wire, data = encode(fact)
    subject = session = ""
    if isinstance(fact, RevocationMade | RevocationExtended):
        subject = fact.target_id if fact.target_type == TargetType.SUBJECT else ""
        session = fact.target_id if fact.target_type == TargetType.SESSION else ""
    return Event(id=id, type=wire, time=arrived, subject=subject, session=session, data=data)


def fact_of(recorded: Recorded) -> Fact:
    """Read a record of the revocation log; UnreadableFact."""
    try:
        fact = decode(recorded.event.type, recorded.event.data)
    except (UnknownEventType, InvalidEvent) as error:
        raise _unreadable(recorded) from error
    if isinstance(fact, Fact):
        return fact
    raise _unreadable(recorded)


def translate(iss: str, recorded: Recorded) -> Fact:
    """Say in the list's words what an event of the issuer's session log does to the list; UnreadableFact."""
    event = recorded.event
    if not may_touch_list(event.type):
        raise _unreadable(recorded)
    try:
        found = decode(event.type, event.data)
        match found:
            case SessionRevoked():
                return _session_revoked(iss, found, event.time)
            case SubjectRevoked():
                return _subject_revoked(iss, found, event.time)
            case SessionClaimsChanged():
                return _claims_changed(iss, found, event.time)
            case SubjectScopesChanged():
                return _scopes_changed(iss, found, event.time)
            case ClientDeleted():
                return _client_deleted(iss, found, event.time)
            case SessionReinstated() | SubjectReinstated():
                return RevocationLifted(revocation_id=found.revocation_id, iss=iss, by=_ANSWERED_BY, at=event.time)
    except (UnknownEventType, InvalidEvent, ValueError) as error:
        raise _unreadable(recorded) from error
    raise _unreadable(recorded)


def _session_revoked(iss: str, event: SessionRevoked, at: int) -> Fact:
    made = RevocationMade(
        revocation_id=event.revocation_id,
        target_type=TargetType.SESSION.value,
        iss=iss,
        target_id=event.sid,
        sn=event.sn,
        effect=_ending(event.effect),
        reason=Reason(event.reason).value,
        by=event.by,
        at=at,
        liftable=event.reason in LIFTABLE,
    )
    return _part(made) if event.answers else made


def _subject_revoked(iss: str, event: SubjectRevoked, at: int) -> Fact:
    made = RevocationMade(
        revocation_id=event.revocation_id,
        target_type=TargetType.SUBJECT.value,
        iss=iss,
        target_id=event.name,
        effect=_ending(event.effect),
        reason=Reason(event.reason).value,
        by=event.by,
        at=at,
        cut_sn=event.sn,
        cut_except=event.except_sn,
        liftable=event.reason in LIFTABLE,
    )
    return _part(made) if event.answers else made


def _claims_changed(iss: str, event: SessionClaimsChanged, at: int) -> Fact:
    return RevocationMade(
        revocation_id=event.revocation_id,
        target_type=TargetType.SESSION.value,
        iss=iss,
        target_id=event.sid,
        sn=event.sn,
        effect=Effect.REFRESH.value,
        reason=Reason.CLAIMS_CHANGED.value,
        by=event.by,
        at=at,
        cv=event.cv,
    )


def _scopes_changed(iss: str, event: SubjectScopesChanged, at: int) -> Fact:
    made = RevocationMade(
        revocation_id=event.revocation_id,
        target_type=TargetType.SUBJECT.value,
        iss=iss,
        target_id=event.name,
        effect=Effect.REFRESH.value,
        reason=Reason.CLAIMS_CHANGED.value,
        by=event.by,
        at=at,
        cv=event.cv,
    )
    return _part(made) if event.answers else made


def _client_deleted(iss: str, event: ClientDeleted, at: int) -> Fact:
    return RevocationMade(
        revocation_id=event.revocation_id,
        target_type=TargetType.CLIENT.value,
        iss=iss,
        target_id=event.client_id,
        effect=Effect.END.value,
        reason=Reason.ADMIN.value,
        by=event.by,
        at=at,
        cut_auth_time=at // 1000 + _UNDER_WAY_S,
    )


def _part(made: RevocationMade) -> RevocationExtended:
    return RevocationExtended(
        revocation_id=made.revocation_id,
        target_type=made.target_type,
        iss=made.iss,
        target_id=made.target_id,
        sn=made.sn,
        effect=made.effect,
        reason=made.reason,
        by=made.by,
        at=made.at,
        cut_sn=made.cut_sn,
        cut_except=made.cut_except,
        cv=made.cv,
    )


def _ending(effect: str) -> str:
    found = Effect(effect)
    if found is Effect.REFRESH:
        raise ValueError("a refresh has an event of its own")
    return found.value


def _unreadable(recorded: Recorded) -> UnreadableFact:
    place = recorded.position or f"{recorded.stream} {recorded.version}"
    return UnreadableFact(f"the record at {place} of type {recorded.event.type[:64]!r} cannot be read")

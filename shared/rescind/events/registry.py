"""Every event by its wire name, and how it is written and read."""

from __future__ import annotations

from collections.abc import Mapping

from rescind.events.administration import (
    ADMINISTRATION_EVENTS,
    ClientCreated,
    ClientDeleted,
    ClientSecretRotated,
    KeyRetired,
    KeyRotated,
    PersonalDataRead,
)
from rescind.events.personal import Personal
from rescind.events.revocation import REVOCATION_EVENTS, Fact
from rescind.events.session import (
    SESSION_EVENTS,
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
from rescind.events.shape import build, pack, parse
from rescind.events.subject import (
    SUBJECT_EVENTS,
    LoginFailed,
    PasswordChanged,
    SubjectCreated,
    SubjectDisabled,
    SubjectEnabled,
    SubjectForgotten,
    SubjectReinstated,
    SubjectRevoked,
    SubjectScopesChanged,
)
from rescind.events.upcasting import UPCASTERS, Upcaster, upcast

AnyEvent = (
    TokenIssued
    | TokenRefreshed
    | TokenReplayed
    | RefreshTokenReused
    | SessionRevoked
    | SessionReinstated
    | SessionClaimsChanged
    | SessionExpired
    | DeviceRenamed
    | SubjectCreated
    | SubjectDisabled
    | SubjectEnabled
    | SubjectScopesChanged
    | PasswordChanged
    | SubjectRevoked
    | SubjectReinstated
    | SubjectForgotten
    | LoginFailed
    | ClientCreated
    | ClientSecretRotated
    | ClientDeleted
    | KeyRotated
    | KeyRetired
    | PersonalDataRead
    | Fact
)

EVENTS: Mapping[str, type[AnyEvent]] = {
    each.wire: each for each in (*SESSION_EVENTS, *SUBJECT_EVENTS, *ADMINISTRATION_EVENTS, *REVOCATION_EVENTS)
}
"""Wire name -> class, of today's versions."""

LIST_TYPES = frozenset(
    each.wire
    for each in (
        SessionRevoked,
        SessionReinstated,
        SessionClaimsChanged,
        SubjectRevoked,
        SubjectReinstated,
        SubjectScopesChanged,
        ClientDeleted,
    )
)
"""Today's wire names of the events that touch the revocation list."""


class UnknownEventType(LookupError):
    """No event and no upcaster has this wire name."""


def may_touch_list(wire: str, upcasters: Mapping[str, Upcaster] = UPCASTERS) -> bool:
    """Whether an event of this name can touch the list: an older version of one that does, too, and one that is not known here.

    Who only passes an unknown one on leaves it to those who know it; who would have to read it stops.
    """
    while step := upcasters.get(wire):
        wire = step.wire
    return wire in LIST_TYPES or wire not in EVENTS


def encode(event: AnyEvent) -> tuple[str, bytes]:
    """(wire name, canonical JSON); InvalidEvent where a field is not of its declared type."""
    return event.wire, pack(event)


def decode(type: str, data: bytes, upcasters: Mapping[str, Upcaster] = UPCASTERS) -> AnyEvent:  # noqa: A002  (the field's name)
    """Read an event of any version as today's class. UnknownEventType; InvalidEvent for data of another shape."""
    if type not in EVENTS and type not in upcasters:
        msg = f"no event is called {type[:64]!r}"
        raise UnknownEventType(msg)
    wire, found = upcast(type, parse(data), upcasters)
    return build(EVENTS[wire], found)


def encode_personal(personal: Personal) -> bytes:
    """Canonical JSON without what is unknown; this is what gets sealed."""
    return pack(personal, without_none=True)


def decode_personal(data: bytes) -> Personal:
    """Read it back; InvalidEvent for anything else."""
    return build(Personal, parse(data))

"""What happens to one session. Times are milliseconds since the epoch unless a name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued:
    """A session began: its first access and refresh token were signed."""

    wire: ClassVar[str] = "token.issued.v1"
    sid: str
    sn: int
    client_id: str
    auth_time: int  # seconds, as in the token
    expires: int  # the refresh token's
    remember_me: bool
    cv: int
    scope: str
    bind_ip: str  # off, log, strict
    bind_device: str
    context_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefreshed:
    """The current refresh token was exchanged for its child, of generation `generation`."""

    wire: ClassVar[str] = "token.refreshed.v1"
    sid: str
    sn: int
    generation: int
    expires: int
    cv: int
    context_known: bool
    binding: str = ""  # "ip", "device" or "ip device": what differs from the sign-in where binding is `log`


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReplayed:
    """The direct parent came again and got the same child; `late` after the race window or from a known-other network."""

    wire: ClassVar[str] = "token.replayed.v1"
    sid: str
    sn: int
    generation: int  # of the child that was given again
    late: bool
    context_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenReused:
    """A superseded refresh token came: the family ends by `revocation_id`. `cause`: child_used, other_device, late, older."""

    wire: ClassVar[str] = "token.reused.v1"
    sid: str
    sn: int
    presented: int
    generation: int
    cause: str
    revocation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRevoked:
    """A session was ended or put on hold under `revocation_id`, by the issuer or in answer to a revocation from outside."""

    wire: ClassVar[str] = "session.revoked.v1"
    revocation_id: str
    sid: str
    sn: int
    effect: str
    reason: str
    by: str  # "user", "issuer", "client:ID", "admin:ID"
    answers: bool = False  # true: a part of a revocation that came from outside


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReinstated:
    """A revocation of this session was lifted."""

    wire: ClassVar[str] = "session.reinstated.v1"
    revocation_id: str
    sid: str
    sn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClaimsChanged:
    """The session's claims changed: its tokens with a claims version below `cv` are refused."""

    wire: ClassVar[str] = "session.claims_changed.v1"
    revocation_id: str
    sid: str
    sn: int
    cv: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionExpired:
    """The session's end was noticed. `limit`: refresh, absolute or inactivity."""

    wire: ClassVar[str] = "session.expired.v1"
    sid: str
    sn: int
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRenamed:
    """The owner renamed the session's device; the name stands in `personal`."""

    wire: ClassVar[str] = "device.renamed.v1"
    sid: str
    sn: int


SESSION_EVENTS = (
    TokenIssued,
    TokenRefreshed,
    TokenReplayed,
    RefreshTokenReused,
    SessionRevoked,
    SessionReinstated,
    SessionClaimsChanged,
    SessionExpired,
    DeviceRenamed,
)

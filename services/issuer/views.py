"""What the issuer answers with. Times are milliseconds since the epoch unless a name or comment says seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An access token and the refresh token beside it. `expires_in` seconds; `refresh_expires` NumericDate seconds."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    sid: str
    generation: int  # of the refresh token; its parity chooses the cookie
    expires_in: int
    refresh_expires: int
    remember_me: bool
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token of a machine (client_credentials)."""

    token: str = field(repr=False)
    expires_in: int  # seconds
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered OAuth client. `grants`: what it may give to sessions that it starts."""

    id: str
    name: str
    scopes: frozenset[str]
    grants: frozenset[str]
    audience: str
    public: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """A client as it is listed. `previous_until`: until then (ms) the secret before is good, too. `created` in milliseconds."""

    client: Client
    created: int
    previous_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An account. `id` stands for it in the log, `sub` in tokens and in the API; `client_id` "" means one of our own."""

    id: str
    sub: str
    client_id: str
    scopes: frozenset[str]
    disabled: bool
    created: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A living session as its owner sees it; None means unknown. `current` is for the caller to set (`dataclasses.replace`)."""

    sid: str
    device_name: str | None
    browser: str | None
    os: str | None
    ip: str | None
    place: str | None
    created: int
    last_seen: int
    expires: int
    remember_me: bool
    client_id: str
    held: bool = False  # on hold, or ended by a revocation that may still be lifted
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One event of the session log. `type` is the event's name (TokenRefreshed); `sub` None when it was forgotten."""

    position: str
    id: str
    type: str
    time: int
    sub: str | None
    sid: str | None
    data: Mapping[str, object]
    personal: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """`next` is the position to go on after; None when the end was reached."""

    entries: tuple[LogEntry, ...]
    next: str | None

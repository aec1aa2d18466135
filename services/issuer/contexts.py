"""What a caller brings: where a request came from, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """Where a request came from. None means unknown: no opinion, never "changed".

    `known` is False when a back end refreshed for its user and told nothing about him.
    """

    ip: str | None = None
    user_agent: str | None = None
    device: str | None = None  # id of the device cookie or of the Rescind-Device header
    known: bool = True


NOWHERE = RequestContext(known=False)
"""The context of a call in which nobody said where the person is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A sign-in with name and password. `bind_ip`, `bind_device`: off, log or strict."""

    username: str
    password: str = field(repr=False)
    remember_me: bool = False
    device_name: str = ""
    bind_ip: str = "off"
    bind_device: str = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSession:
    """A session for a subject that a trusted back end has authenticated itself.

    `scopes` None: all that the client may grant. `claims` are extra access token claims; reserved names are refused.
    """

    subject: str
    scopes: tuple[str, ...] | None = None
    claims: Mapping[str, object] = field(default_factory=dict)
    remember_me: bool = False
    device_name: str = ""
    bind_ip: str = "off"
    bind_device: str = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """An OAuth client to register. `grants`: the scopes that it may give to sessions of its own subjects."""

    name: str
    scopes: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    audience: str = ""  # empty: the issuer's default audience
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """What a reader of the session log asks for. `sub` is the platform's name; `type` without its version; times in ms."""

    after: str = ""  # position EPOCH.SEQ, exclusive; empty: from the beginning
    limit: int = 100
    sub: str = ""
    sid: str = ""
    type: str = ""  # an event's name as the documentation lists it: TokenRefreshed, SessionRevoked, ...
    since: int | None = None
    until: int | None = None

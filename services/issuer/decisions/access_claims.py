"""What an access token says (RFC 9068 section 2.2). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.issuer.decisions.scopes import words
from services.issuer.decisions.session import Session
from services.issuer.errors import InvalidRequest
from services.issuer.settings import IssuerSettings
from services.issuer.views import Client

Audience = str | list[str]
"""The claim `aud` (RFC 7519 section 4.1.3)."""

RESERVED = frozenset(
    [
        "act",
        "aud",
        "auth_time",
        "azp",
        "client_id",
        "cnf",
        "cv",
        "events",
        "exp",
        "iat",
        "iss",
        "jti",
        "may_act",
        "nbf",
        "nonce",
        "scope",
        "scp",
        "sid",
        "sn",
        "status",
        "sub",
        "sub_id",
        "txn",
        "typ",
    ]
)
"""Claims that a login of somebody else's cannot set."""

_MAX_CLAIMS_BYTES = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Whose token it is."""

    sub: str
    audience: Audience
    scopes: frozenset[str]
    cv: int


def for_session(session: Session, bearer: Bearer, settings: IssuerSettings, *, jti: str, now: int) -> Mapping[str, object]:
    """A session's token; it never outlives the session's refresh token."""
    iat = now // 1000
    return {
        **session.profile.claims,
        "iss": settings.iss,
        "sub": bearer.sub,
        "aud": bearer.audience,
        "exp": max(iat + 1, min(iat + settings.access_ttl, session.rotation.exp)),
        "iat": iat,
        "jti": jti,
        "client_id": session.client_id,
        "sid": session.sid,
        "sn": session.sn,
        "cv": bearer.cv,
        "auth_time": session.auth_time,
        "scope": words(bearer.scopes),
    }


def audience(named: str, scopes: frozenset[str], settings: IssuerSettings, own_scopes: frozenset[str]) -> Audience:
    """Whom a token of a client with the audience `named` ("": none of its own) is for.

    A scope of this service's own means nothing elsewhere: a token that has one is for this service, too.
    """
    own = settings.audience
    if named in ("", own):
        return own
    return [named, own] if scopes & own_scopes else named


def for_client(
    client: Client, scopes: frozenset[str], aud: Audience, settings: IssuerSettings, *, jti: str, now: int
) -> Mapping[str, object]:
    """A machine's token: its `sub` is its client_id (RFC 9068 section 2.2)."""
    iat = now // 1000
    return {
        "iss": settings.iss,
        "sub": client.id,
        "aud": aud,
        "exp": iat + settings.access_ttl,
        "iat": iat,
        "jti": jti,
        "client_id": client.id,
        "scope": words(scopes),
    }


def life(claims: Mapping[str, object]) -> int:
    """Seconds from `iat` to `exp`, for `expires_in`."""
    exp, iat = claims["exp"], claims["iat"]
    return exp - iat if isinstance(exp, int) and isinstance(iat, int) else 0


def check_extra(claims: Mapping[str, object], size: int) -> None:
    """Refuse reserved names and claims too large for a header; `size` is that of their JSON. InvalidRequest."""
    reserved = RESERVED & claims.keys()
    if reserved:
        raise InvalidRequest({"claims": f"These names are reserved: {', '.join(sorted(reserved))}."})
    if size > _MAX_CLAIMS_BYTES:
        raise InvalidRequest({"claims": f"Claims are at most {_MAX_CLAIMS_BYTES} bytes of JSON."})

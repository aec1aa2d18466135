"""What a verified access token says (RFC 9068), checked type by type; `now` is passed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rescind.errors import Denial, Denied
from rescind.vocabulary import subject_name

MAX_INT = 2**53 - 1
"""The largest integer that every JSON reader keeps (RFC 8259 section 6)."""

_MAX_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The claims of one access token. Times are NumericDate seconds; -1 and None mean: not in the token.

    `sid`, `sn`: the session and its number. `cv`: the claims version. `kid`: the key that signed. `raw`: the whole payload,
    read-only because requests share it.
    `subject` is derived: how the revocation list names (`iss`, `sub`).
    """

    iss: str
    sub: str = field(repr=False)  # who logs claims shall not log names
    aud: tuple[str, ...]
    exp: int
    iat: int
    jti: str
    client_id: str
    sid: str | None = None
    sn: int = -1
    cv: int = -1
    auth_time: int = -1
    scope: frozenset[str] = frozenset()
    kid: str = ""
    raw: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    subject: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", subject_name(self.iss, self.sub))


class _Wrong(Exception):
    """A claim is missing or of a wrong type; carries its name only."""


def check_claims(
    payload: Mapping[str, object],
    *,
    issuer: str,
    audience: frozenset[str],
    now_s: float,
    leeway: int = 30,
    max_life: int = 86_400,
    own: bool = True,
    kid: str = "",
) -> Claims | Denied:
    """Check a payload whose signature is good. `leeway` and `max_life` are seconds.

    `own`: a token of Rescind's issuer must have every claim that RFC 9068 section 2.2 requires, and all or none of the
    session's; another issuer's token needs `iss`, `sub`, `aud`, `exp`, `iat`.
    """
    if payload.get("iss") != issuer:
        return Denied(Denial.WRONG_ISSUER, "the token is from another issuer")
    try:
        claims = _read(payload, issuer=issuer, own=own, kid=kid)
        not_before = _seconds(payload, "nbf", 0)
    except _Wrong as wrong:
        return Denied(Denial.INVALID_CLAIMS, f"the claim {wrong} is missing or malformed")
    if audience.isdisjoint(claims.aud):
        return Denied(Denial.WRONG_AUDIENCE, "the token is for another audience")
    return _out_of_time(claims, not_before, now_s, leeway, max_life) or claims


def _out_of_time(claims: Claims, not_before: int, now_s: float, leeway: int, max_life: int) -> Denied | None:
    if not 0 < claims.exp - claims.iat <= max_life:
        return Denied(Denial.INVALID_CLAIMS, "the token lives longer than this verifier allows, or not at all")
    if now_s >= claims.exp + leeway:
        return Denied(Denial.EXPIRED, "the token has expired")
    if max(not_before, claims.iat) > now_s + leeway:
        return Denied(Denial.NOT_YET_VALID, "the token is not valid yet")
    return None


def _read(payload: Mapping[str, object], *, issuer: str, own: bool, kid: str) -> Claims:
    if not own and payload.get("typ", "Bearer") != "Bearer":
        raise _Wrong("typ")  # Keycloak says here what its tokens are for: ID, Refresh, Logout
    sid = _name(payload, "sid") if "sid" in payload else None
    session_default = None if own and sid is not None else -1
    sn = _whole(payload, "sn", session_default) if own else -1
    if own and sn >= 0 and sid is None:
        raise _Wrong("sid")
    return Claims(
        iss=issuer,
        sub=_name(payload, "sub"),
        aud=_audience(payload.get("aud")),
        exp=_seconds(payload, "exp"),
        iat=_seconds(payload, "iat"),
        jti=_name(payload, "jti") if own or "jti" in payload else "",
        client_id=_client(payload, own=own),
        sid=sid,
        sn=sn,
        cv=_whole(payload, "cv", session_default) if own else -1,
        auth_time=_seconds(payload, "auth_time", session_default),
        scope=_scope(payload),
        kid=kid,
        raw=MappingProxyType(payload),
    )


def _name(payload: Mapping[str, object], claim: str) -> str:
    """Read a short printable string; lone surrogates and control characters are not printable."""
    value = payload.get(claim)
    if isinstance(value, str) and 0 < len(value) <= _MAX_NAME and value.isprintable():
        return value
    raise _Wrong(claim)


def _whole(payload: Mapping[str, object], claim: str, default: int | None = None) -> int:
    value = payload.get(claim, default)
    if type(value) is int and (0 <= value <= MAX_INT or value == default):  # `type`: True is an int to isinstance
        return value
    raise _Wrong(claim)


def _seconds(payload: Mapping[str, object], claim: str, default: int | None = None) -> int:
    """Read a NumericDate (RFC 7519 section 2) as whole seconds; other issuers may write a fraction."""
    value = payload.get(claim, default)
    if type(value) is float and 0 <= value <= MAX_INT:
        return int(value)
    return _whole(payload, claim, default)


def _audience(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and names and all(isinstance(name, str) and name for name in names):
        return tuple(names)
    raise _Wrong("aud")


def _client(payload: Mapping[str, object], *, own: bool) -> str:
    if own or "client_id" in payload:
        return _name(payload, "client_id")
    return _name(payload, "azp") if "azp" in payload else ""


def _scope(payload: Mapping[str, object]) -> frozenset[str]:
    """Read `scope` (RFC 8693 section 4.2), or the list `scp` that some issuers write."""
    value = payload.get("scope", payload.get("scp", ""))
    if isinstance(value, str):
        return frozenset(value.split(" ")) - {""}
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return frozenset(value)
    raise _Wrong("scope")

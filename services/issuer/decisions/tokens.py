"""Refresh tokens: written from what a session stores, and read. Pure.

A refresh token is a compact JWT for its holder's convenience (`exp`, `iat`), opaque otherwise. Two MACs guard it:

- the outer one, the claim `jti`, needs only the refresh key: rubbish is refused before any query;
- the signature needs the refresh key *and* the session's secret from the database, so neither alone mints a token.

The same fields give the same bytes, so a child is handed out again without ever being stored. A presented token is compared
with the one derived from its own fields: one token has one spelling.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from rescind.jose import read_object
from services.issuer.decisions import base64url
from services.issuer.errors import InvalidToken

TYPE = "rt+jwt"
_ALGORITHM = "HS256"
_MAX_LENGTH = 1024
_SIGNATURE_LENGTH = 43  # 32 bytes
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SID = re.compile(r"[0-9a-f]{32}")
_MAX = 2**53 - 1
_OUTER_BYTES = 16
_ENCODER = json.JSONEncoder(separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token says. `iat`, `exp` are NumericDate seconds."""

    iss: str
    sid: str
    generation: int
    iat: int
    exp: int
    kid: str


def write(token: RefreshToken, key: bytes, secret: bytes) -> str:
    """Derive the token's text: always the same bytes. `key` is the refresh key `kid`, `secret` the session's."""
    unsigned = _unsigned(token, key)
    return f"{unsigned}.{_signature(unsigned, key, secret)}"


def read(text: str, key_of: Callable[[str], bytes | None], *, iss: str) -> RefreshToken:
    """Read a token of this issuer whose outer MAC is good; InvalidToken for all else. The signature is still to be checked."""
    try:
        header, payload = _split(text)
        token = _fields(read_object(header), read_object(payload))
    except (ValueError, RecursionError):
        raise InvalidToken from None
    key = key_of(token.kid)
    if token.iss != iss or key is None or not hmac.compare_digest(_unsigned(token, key), text.rpartition(".")[0]):
        raise InvalidToken
    return token


def is_signed(text: str, key: bytes, secret: bytes) -> bool:
    """Whether a text that `read` accepted with this key is a token of the session with this secret."""
    unsigned, _, signature = text.rpartition(".")
    return hmac.compare_digest(_signature(unsigned, key, secret), signature)


def looks_like_refresh(text: str) -> bool:
    """Whether the header says `rt+jwt`: tells which of the two kinds to read it as, proves nothing."""
    try:
        return read_object(_split(text)[0]).get("typ") == TYPE
    except (ValueError, RecursionError):
        return False


def _split(text: str) -> tuple[bytes, bytes]:
    """Header and payload; what is no canonical base64url does not come out of `decode`."""
    parts = text.split(".") if len(text) <= _MAX_LENGTH and text.isascii() else []
    if len(parts) != 3 or len(parts[2]) != _SIGNATURE_LENGTH:  # noqa: PLR2004  (RFC 7515 section 7.1)
        msg = "not a compact JWT"
        raise ValueError(msg)
    return base64url.decode(parts[0]), base64url.decode(parts[1])


def _fields(header: object, payload: object) -> RefreshToken:
    """Pick the fields; whatever else is in there makes the comparison with the derived text fail."""
    match header, payload:
        case (
            {"kid": str(kid), "typ": str(typ)},
            {"iss": str(iss), "sid": str(sid), "gen": int(generation), "iat": int(iat), "exp": int(exp)},
        ) if typ == TYPE and _KID.fullmatch(kid) and _SID.fullmatch(sid):
            if all(type(number) is int and 0 <= number <= _MAX for number in (generation, iat, exp)):
                return RefreshToken(iss, sid, generation, iat, exp, kid)
    msg = "not a refresh token"
    raise ValueError(msg)


def _unsigned(token: RefreshToken, key: bytes) -> str:
    header = {"alg": _ALGORITHM, "kid": token.kid, "typ": TYPE}
    claims = {"exp": token.exp, "gen": token.generation, "iat": token.iat, "iss": token.iss, "sid": token.sid}
    outer = _mac(_derived(key, b"outer"), _json({**header, **claims}))[:_OUTER_BYTES]
    return f"{base64url.encode(_json(header))}.{base64url.encode(_json({**claims, 'jti': base64url.encode(outer)}))}"


def _signature(unsigned: str, key: bytes, secret: bytes) -> str:
    return base64url.encode(_mac(_derived(key, b"session" + secret), unsigned.encode()))


def _derived(key: bytes, purpose: bytes) -> bytes:
    return _mac(key, b"rescind refresh token " + purpose)


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, sha256)


def _json(value: object) -> bytes:
    return _ENCODER.encode(value).encode()

"""Read a compact JWS (RFC 7515) as strictly as it is written: one spelling per token, no header that loads keys.

What other libraries forgive is refused here: padding, spare bits, duplicate members, NaN, a second encoding of the JSON.
"""

from __future__ import annotations

import binascii
import json
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rescind.errors import Denial, Denied

MAX_TOKEN = 8192
"""Bytes. Longer tokens are refused before anything is decoded."""

_REFUSED = frozenset({"jku", "x5u", "jwk", "x5c", "crit", "b64", "zip"})


@dataclass(frozen=True, slots=True)
class Header:
    """A protected header. `typ` is in lower case and without `application/` (RFC 7515 section 4.1.9); "" if there is none."""

    alg: str
    kid: str
    typ: str


@dataclass(frozen=True, slots=True)
class Jws:
    """A token, taken apart; nothing of it is proven yet."""

    header: Header
    payload: dict[str, object]
    signed: bytes
    signature: bytes


def parse(token: bytes) -> Jws | Denied:
    """Take a token apart, or say why not: `malformed` or `unsupported_algorithm`."""
    if len(token) > MAX_TOKEN:
        return Denied(Denial.MALFORMED, "the token is longer than 8 KB")
    signed, _, signature = token.rpartition(b".")
    head, _, body = signed.partition(b".")
    try:
        header = _header(head)
        if isinstance(header, Denied):
            return header
        return Jws(header, read_object(_decode(body)), signed, _decode(signature))
    except ValueError:  # no cause is kept: it would quote the token
        return Denied(Denial.MALFORMED, "the token is no compact JWS of JSON objects")


def read_object(data: bytes) -> dict[str, object]:
    """Read one JSON object in UTF-8 without duplicate members, NaN, infinity and byte order mark; ValueError otherwise."""
    try:
        value = _JSON.decode(data.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004  (one error for every way to be malformed)
    return value


@lru_cache(maxsize=64)
def _header(encoded: bytes) -> Header | Denied:
    """Read a header. The tokens of one key share theirs byte for byte, so it is read once."""
    header = read_object(_decode(encoded))
    alg, kid, typ = header.get("alg"), header.get("kid", ""), header.get("typ", "")
    if not (isinstance(alg, str) and isinstance(kid, str) and isinstance(typ, str)):
        return Denied(Denial.MALFORMED, "alg, kid and typ are strings")
    if not _REFUSED.isdisjoint(header):
        return Denied(
            Denial.UNSUPPORTED_ALGORITHM, "the header asks for what this verifier never does: foreign keys, crit, b64, zip"
        )
    return Header(alg, kid, typ.lower().removeprefix("application/"))


def _decode(segment: bytes) -> bytes:
    """Decode base64url (RFC 7515 section 2). Encoding it again finds padding, other alphabets and spare bits that are set."""
    try:
        data = urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
    if not data or urlsafe_b64encode(data).rstrip(b"=") != segment:
        raise ValueError("not base64url")
    return data


def _once(members: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member stands twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


_JSON = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_finite)

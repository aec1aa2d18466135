"""Scopes as OAuth writes them (RFC 6749 section 3.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.issuer.errors import InvalidRequest, InvalidScope

ADMIN = "admin"
_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,100}")
_MAX_SCOPES = 100


def parse(scopes: Iterable[str], *, field: str = "scopes") -> frozenset[str]:
    """Check names; InvalidRequest."""
    found = frozenset(scopes)
    if len(found) > _MAX_SCOPES or not all(_TOKEN.fullmatch(scope) for scope in found):
        raise InvalidRequest({field: "Scopes are at most 100 printable words without spaces, quotes and backslashes."})
    return found


def words(scopes: Iterable[str]) -> str:
    """The claim `scope`: sorted, so that equal scopes are equal text."""
    return " ".join(sorted(scopes))


def split(text: str) -> frozenset[str]:
    """Read the claim or an event's field back."""
    return frozenset(text.split())


def narrowed(asked: str | None, allowed: frozenset[str], own: frozenset[str]) -> frozenset[str]:
    """What a client gets that asks for `asked` (None or empty: everything it has); InvalidScope for more.

    `own`: the service's own scopes, which `admin` contains.
    """
    wanted = split(asked or "")
    if not wanted <= (allowed | own if ADMIN in allowed else allowed):
        raise InvalidScope
    return wanted or allowed

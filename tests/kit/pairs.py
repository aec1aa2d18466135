"""Pairs of tokens that look like the issuer's."""

from __future__ import annotations

import base64
import json

from services.issuer.views import Pair

NOW = 1_795_000_000_123


def refresh_token(sid: str, generation: int, issued: int = 0) -> str:
    """Something with the payload of a refresh token."""

    payload = json.dumps({"sid": sid, "gen": generation, "iat": issued}).encode()
    return f"e30.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}.c2ln"


def pair(generation: int = 1, *, sid: str = "sid-1", remember_me: bool = False) -> Pair:
    return Pair(
        access=f"access-{generation}",
        refresh=refresh_token(sid, generation),
        sid=sid,
        generation=generation,
        expires_in=900,
        refresh_expires=NOW // 1000 + 604_800,
        remember_me=remember_me,
        scope="read write",
    )

"""Cookie mode: the refresh token in HttpOnly `__Host-` cookies, two of them, which alternate by the generation's parity.

Each rotation writes the cookie in which its parent does not stand. A slow answer that arrives after other tabs have rotated on
can overwrite one cookie with an older token; the other then holds the current token or its direct parent, and the newest that
the browser presents counts, so the session goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Response

from services.issuer.api import bodies, device_cookie
from services.issuer.api.device_cookie import Device
from services.issuer.decisions import base64url
from services.issuer.views import Pair

REFRESH = ("__Host-rescind-refresh-0", "__Host-rescind-refresh-1")
DEVICE = "__Host-rescind-device"
_DEVICE_LIFE = 400 * 24 * 60 * 60  # seconds; browsers allow no more


@dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token that came in a cookie, with what it says about itself; nothing of it is verified yet."""

    token: str = field(repr=False)
    sid: str
    generation: int
    issued: int


def presented(cookies: Mapping[str, str]) -> str | None:
    """The newest of the refresh tokens that came in cookies; None when none came.

    Of one session the highest generation counts; of two sessions (an answer that was under way during a new sign-in) the one
    whose token is the youngest.
    """
    found = [token for name in REFRESH if (token := _peek(cookies.get(name, "")))]
    if not found:
        return next((cookies[name] for name in REFRESH if cookies.get(name)), None)
    session = max(found, key=lambda token: (token.issued, token.generation)).sid
    return max((token for token in found if token.sid == session), key=lambda token: token.generation).token


def set_refresh(response: Response, pair: Pair, now_s: int) -> None:
    """Put the pair's refresh token into its cookie. Without remember_me the browser forgets it when it closes."""
    life = max(0, pair.refresh_expires - now_s) if pair.remember_me else None
    _set(response, REFRESH[pair.generation % 2], pair.refresh, life)


def begin(response: Response, pair: Pair, now_s: int) -> None:
    """Put a new session's token into its cookie and take away what an earlier session left in the other."""
    set_refresh(response, pair, now_s)
    _set(response, REFRESH[(pair.generation + 1) % 2], "", 0)


def clear_refresh(response: Response) -> None:
    """Take both away: for a sign-out, and for nothing else. A refusal clears nothing, or it would sign out a newer session."""
    for name in REFRESH:
        _set(response, name, "", 0)


def set_device(response: Response, device: Device) -> None:
    """Let the browser keep its device cookie."""
    _set(response, DEVICE, device_cookie.write(device), _DEVICE_LIFE)


def _set(response: Response, name: str, value: str, life: int | None) -> None:
    """RFC 6265bis: a `__Host-` cookie is Secure, has Path=/ and no Domain."""
    response.set_cookie(name, value, max_age=life, path="/", secure=True, httponly=True, samesite="strict")


def _peek(token: str) -> Presented | None:
    """Read the payload of a refresh token without any check; None for anything that does not look like one."""
    try:
        claims = bodies.parse(base64url.decode(token.split(".")[1]))
    except (IndexError, ValueError):
        return None
    match claims:
        case {"sid": str(sid), "gen": int(generation), "iat": int(issued)}:
            return Presented(token, sid, generation, issued)
    return None

"""A refusal as HTTP says it: RFC 6750 section 3, RFC 9470 section 3, RFC 9457. Pure; the ASGI and WSGI edges send it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from rescind.errors import Denial, Denied

_NOT_NOW = {Denial.STALE, Denial.NOT_READY}
_SHOWN = {*map(chr, range(0x20, 0x7F))} - {'"', "\\"}


class TwoTokens(Exception):
    """A request with several Authorization headers."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Status, headers in the order to send, and a problem+json body with `reason` (and `step_up_id` for a session on hold)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def bearer(authorization: Sequence[str]) -> str | None:
    """Give the token of the Authorization headers; None without one. TwoTokens when there are several."""
    if len(authorization) > 1:
        raise TwoTokens
    scheme, _, token = authorization[0].strip().partition(" ") if authorization else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def refusal(denied: Denied, *, realm: str, scope: str = "") -> Refusal:
    """Say no. What may pass later is 503, so that no client throws a good token away; `scope` is what was asked for."""
    if denied.reason in _NOT_NOW:
        return _problem(503, denied, [("Retry-After", "1")])
    if denied.reason is Denial.INSUFFICIENT_SCOPE:
        return _problem(403, denied, [_challenge(realm, error="insufficient_scope", scope=scope)])
    if denied.reason is Denial.STEP_UP_REQUIRED:
        challenge = _challenge(realm, error="insufficient_user_authentication", error_description=denied.detail, max_age="0")
        return _problem(401, denied, [challenge])
    return _problem(401, denied, [_challenge(realm, error="invalid_token", error_description=denied.detail)])


def no_token(realm: str) -> Refusal:
    """Ask for a token: the challenge has no error code then."""
    return _problem(401, "an access token is needed", [_challenge(realm)])


def two_tokens(realm: str) -> Refusal:
    """Which of them is meant? Nobody should guess."""
    detail = "the request has more than one Authorization header"
    return _problem(400, detail, [_challenge(realm, error="invalid_request", error_description=detail)])


def lacks(granted: frozenset[str], scope: str) -> Denied | None:
    """Refuse claims without a scope."""
    return None if scope in granted else Denied(Denial.INSUFFICIENT_SCOPE, "the token does not have the scope that is needed")


def _challenge(realm: str, **parameters: str) -> tuple[str, str]:
    pairs = {"realm": realm, **parameters}
    return "WWW-Authenticate", "Bearer " + ", ".join(f'{name}="{_quotable(value)}"' for name, value in pairs.items())


def _quotable(text: str) -> str:
    return "".join(character for character in text if character in _SHOWN)


def _problem(status: int, why: Denied | str, headers: Sequence[tuple[str, str]]) -> Refusal:
    members: dict[str, object] = {"title": HTTPStatus(status).phrase, "status": status}
    if isinstance(why, Denied):
        members |= {"detail": why.detail, "reason": why.reason.value}
        if why.step_up_id:
            members["step_up_id"] = why.step_up_id
    else:
        members["detail"] = why
    body = json.dumps(members).encode()
    kind = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    return Refusal(status, (*kind, *headers), body)

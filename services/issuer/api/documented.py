"""What goes wrong, for OpenAPI: made from the table that is answered with."""

from __future__ import annotations

from pydantic import BaseModel

from services.described import COMMON, Refusal, Responses, lines, problems
from services.issuer.api.errors import TABLE
from services.problems import Problem

_ROWS = (
    *TABLE.values(),
    *COMMON,
    Problem(401, "invalid_client", "The client is unknown or its secret is wrong."),
    Problem(403, "origin_not_allowed", "This page may not use the refresh cookie here."),
)
_OF_OAUTH = {400: "invalid_request, invalid_grant, invalid_scope, unauthorized_client, unsupported_grant_type"}


class OAuthError(BaseModel):
    """RFC 6749 section 5.2; `reason`, `why` and `at` go with `invalid_grant`."""

    error: str
    error_description: str
    reason: str | None = None
    why: str | None = None
    at: str | None = None


def front(*statuses: int) -> Responses:
    """Refusals of `/api/*` with these statuses; 413 and 503 are everywhere."""
    return {status: {"model": Refusal, "description": _lines(status)} for status in (*statuses, 413, 503)} | _default(Refusal)


def machine(*statuses: int) -> Responses:
    """Refusals of `/v1/*`."""
    return problems(_ROWS, *statuses, 413, 503)


def oauth(*statuses: int) -> Responses:
    """Refusals of `/oauth/*`."""
    found: Responses = {
        status: {"model": OAuthError, "description": _OF_OAUTH.get(status) or _lines(status)} for status in (*statuses, 413, 503)
    }
    return found | _default(OAuthError)


def _default(model: type[BaseModel]) -> Responses:
    return {"default": {"model": model, "description": "Any other error, in the same shape."}}


def _lines(status: int) -> str:
    return lines(_ROWS, status)

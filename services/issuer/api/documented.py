"""What goes wrong, for OpenAPI: made from the table that is answered with."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from services.issuer.api.errors import TABLE
from services.problems import Problem, retry

Responses = dict[int | str, dict[str, Any]]
"""As FastAPI's `responses` takes it."""

_REST = (
    Problem(401, "not_authenticated", "An access token is needed."),
    Problem(401, "invalid_client", "The client is unknown or its secret is wrong."),
    Problem(403, "insufficient_scope", "The access token lacks the scope."),
    Problem(403, "origin_not_allowed", "This page may not use the refresh cookie here."),
    Problem(413, "too_large", "The body is too long."),
    retry(),
)
_OF_OAUTH = {400: "invalid_request, invalid_grant, invalid_scope, unauthorized_client, unsupported_grant_type"}


class Refusal(BaseModel):
    """`detail` is for people, `code` and `reason` for programs; `why` is a revocation's reason, `at` ISO 8601."""

    detail: str
    code: str
    reason: str | None = None
    why: str | None = None
    at: str | None = None
    fields: dict[str, str] | None = None


class ProblemDetails(Refusal):
    """RFC 9457, application/problem+json."""

    type: str = "about:blank"
    title: str
    status: int


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
    media = {"application/problem+json": {"schema": ProblemDetails.model_json_schema()}}
    found: Responses = {status: {"description": _lines(status), "content": media} for status in (*statuses, 413, 503)}
    return found | {"default": {"description": "Any other error, in the same shape.", "content": media}}


def oauth(*statuses: int) -> Responses:
    """Refusals of `/oauth/*`."""
    found: Responses = {
        status: {"model": OAuthError, "description": _OF_OAUTH.get(status) or _lines(status)} for status in (*statuses, 413, 503)
    }
    return found | _default(OAuthError)


def _default(model: type[BaseModel]) -> Responses:
    return {"default": {"model": model, "description": "Any other error, in the same shape."}}


def _lines(status: int) -> str:
    rows = [row for row in (*TABLE.values(), *_REST) if row.status == status]
    return "  \n".join(f"`{row.code}`{f' · `{row.reason}`' if row.reason else ''}: {row.detail}" for row in rows)

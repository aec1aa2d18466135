"""Refusals for OpenAPI, made from the tables that are answered with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from services.problems import Problem, retry

Responses = dict[int | str, dict[str, Any]]
"""As FastAPI's `responses` takes it."""

COMMON = (
    Problem(400, "invalid_request", "The request is malformed."),
    Problem(401, "not_authenticated", "An access token is needed."),
    Problem(403, "insufficient_scope", "The access token lacks the scope."),
    Problem(413, "too_large", "The body is too long."),
    retry(),
)


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


def problems(table: Iterable[Problem], *statuses: int) -> Responses:
    """Refusals of `/v1/*` with these statuses, and any other in the same shape."""
    rows = list(table)
    media = {"application/problem+json": {"schema": ProblemDetails.model_json_schema()}}
    found: Responses = {status: {"description": lines(rows, status), "content": media} for status in statuses}
    return found | {"default": {"description": "Any other error, in the same shape.", "content": media}}


def lines(table: Iterable[Problem], status: int) -> str:
    """What there is with this status, a line each."""
    rows = dict.fromkeys((row.code, row.reason, row.detail) for row in table if row.status == status)
    return "  \n".join(f"`{code}`{f' · `{reason}`' if reason else ''}: {detail}" for code, reason, detail in rows)

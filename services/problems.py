"""What goes wrong, as HTTP answers. The path decides the shape, in one table.

`/api/*`    what SimpleJWT front ends read: `{detail, code, reason?, why?, at?, fields?}`
`/oauth/*`  RFC 6749 section 5.2: `{error, error_description, reason?, why?, at?}`
the rest    RFC 9457 problem+json: `{type, title, status, detail, code, …}`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from eventlog.errors import EventLogError

_RETRY_AFTER = {"Retry-After": "1"}
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_OAUTH_CODES = {"retry": "temporarily_unavailable", "internal": "server_error", "token_not_valid": "invalid_token"}


@dataclass(eq=False)
class Problem(Exception):
    """An answer that is an error. `code` is stable and read by machines, `detail` is a sentence for people.

    `fields` maps the name of a request field to what is wrong with it. `why` is a revocation's reason and `at` its time
    (ISO 8601). Nothing in it may be a secret, an account name or an address.
    """

    status: int
    code: str
    detail: str
    reason: str | None = None
    fields: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    why: str | None = None
    at: str | None = None

    def extras(self) -> dict[str, object]:
        """The optional members that are there."""
        members = {"reason": self.reason, "why": self.why, "at": self.at, "fields": self.fields}
        return {name: value for name, value in members.items() if value is not None}


def retry() -> Problem:
    """The outcome is unknown, or we are overloaded, or the database is away: the same request may be sent again."""
    return Problem(503, "retry", "The service cannot answer now. Send the same request again.", headers=_RETRY_AFTER)


def _front(problem: Problem) -> JSONResponse:
    return JSONResponse({"detail": problem.detail, "code": problem.code, **problem.extras()}, problem.status, problem.headers)


def _oauth(problem: Problem) -> JSONResponse:
    named = ", ".join(f"{name}: {wrong}" for name, wrong in (problem.fields or {}).items())
    extras = {name: value for name, value in problem.extras().items() if name != "fields"}
    body = {"error": _OAUTH_CODES.get(problem.code, problem.code), "error_description": named or problem.detail, **extras}
    return JSONResponse(body, problem.status, {"Cache-Control": "no-store", **(problem.headers or {})})


def _problem_json(problem: Problem) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **problem.extras(),
    }
    return JSONResponse(body, problem.status, problem.headers, media_type="application/problem+json")


_STYLES: tuple[tuple[str, Callable[[Problem], JSONResponse]], ...] = (
    ("/api/", _front),
    ("/oauth/", _oauth),
    ("/", _problem_json),
)


def render(path: str, problem: Problem) -> JSONResponse:
    """Give the problem the shape that clients of this path read."""
    return next(style for prefix, style in _STYLES if path.startswith(prefix))(problem)


def problem_of(error: Exception) -> Problem:
    """Translate any error, at this one place. What nobody foresaw is our fault and says nothing."""
    match error:
        case Problem():
            return error
        case RequestValidationError():  # the fields and what is wrong with each, never the values that came
            fields = {_field(entry["type"], entry["loc"]): str(entry["msg"]) for entry in error.errors()}
            return Problem(400, "invalid_request", "The request is malformed.", fields=fields)
        case HTTPException():  # what the router itself refuses, such as an unknown path
            code = _CODES.get(error.status_code, "invalid_request")
            return Problem(error.status_code, code, HTTPStatus(error.status_code).phrase, headers=error.headers)
        case EventLogError():
            return retry()
        case _:
            return Problem(500, "internal", "This is our fault. The log says more.")


def install(app: FastAPI) -> None:
    """Answer every error of this application in the shape of its path."""

    def answer(request: Request, error: Exception) -> Response:
        return render(request.url.path, problem_of(error))

    for kind in (Problem, RequestValidationError, HTTPException, EventLogError, Exception):
        app.add_exception_handler(kind, answer)


def _field(kind: str, loc: tuple[int | str, ...]) -> str:
    """`body.user.name` is the field `user.name`; JSON that cannot be read at all is the body's fault."""
    return str(loc[0]) if kind == "json_invalid" else ".".join(str(part) for part in loc[1:]) or str(loc[0])

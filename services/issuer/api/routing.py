"""How the issuer's routes behave: bounded and strict bodies, refusals in the shape of their path, nothing cached."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from eventlog.errors import EventLogError
from services.issuer.api import bodies, errors
from services.issuer.errors import IssuerError
from services.problems import Problem, problem_of, render

MAX_BODY = 64 * 1024
"""Bytes; every body that the issuer takes is far below."""

OAUTH = "/oauth/"
_NO_STORE = "no-store"
_CHALLENGE = 'Bearer realm="rescind"'


class BoundedRequest(Request):
    """A request whose body is read up to MAX_BODY and whose JSON is read strictly."""

    async def body(self) -> bytes:
        """The whole body; Problem 413 as soon as it is too long."""
        if not hasattr(self, "_body"):
            length = self.headers.get("content-length", "0")
            if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > MAX_BODY:  # noqa: PLR2004  (digits)
                raise _too_large()
            body = bytearray()
            async for chunk in self.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _too_large()
            self._body = bytes(body)
        return self._body

    async def json(self) -> object:
        """The body as JSON; json.JSONDecodeError."""
        return bodies.parse(await self.body())


class StrictRoute(APIRoute):
    """A route of the issuer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's: read the body here, where a refusal is ours to render."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            bounded = BoundedRequest(request.scope, request.receive)
            try:
                await bounded.body()
                response = await handle(bounded)
            except ClientDisconnect:  # nobody is there to be answered
                return Response(status_code=400)
            except IssuerError as refusal:
                path = request.url.path
                problem = errors.oauth_problem_of(refusal) if path.startswith(OAUTH) else errors.problem_of(refusal)
                response = render(path, problem)
            except (Problem, RequestValidationError, HTTPException, EventLogError) as refusal:
                response = render(request.url.path, problem_of(refusal))
            if response.headers.setdefault("Cache-Control", _NO_STORE) == _NO_STORE:
                response.headers["Pragma"] = "no-cache"  # RFC 6749 section 5.1 wants both
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                response.headers.setdefault("WWW-Authenticate", _CHALLENGE)  # RFC 9110 section 15.5.2
            return response

        return answer


class FrontRoutes(APIRouter):
    """Routes for front ends: each path is served with its trailing slash and without; the first form given is documented."""

    def __init__(self) -> None:
        super().__init__(route_class=StrictRoute, tags=["front ends"])

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add both forms."""
        super().add_api_route(path, endpoint, **options)
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        super().add_api_route(other, endpoint, **{**options, "include_in_schema": False})


def machine_routes() -> APIRouter:
    """Routes for machines: exactly one form of each path."""
    return APIRouter(route_class=StrictRoute, tags=["machines"])


def _too_large() -> Problem:
    return Problem(413, "too_large", f"The body is longer than {MAX_BODY} bytes.")

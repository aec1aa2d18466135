"""How the revocation service's routes behave: its refusals become problems, and nothing is cached but what says so."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from eventlog.relay import PositionConflict
from services.described import COMMON, Responses, problems
from services.problems import render
from services.revocation.api.errors import TABLE, problem_of
from services.revocation.decisions.facts import UnreadableFact
from services.revocation.errors import RevocationError


class Route(APIRoute):
    """A route whose endpoint may raise RevocationError, PositionConflict and UnreadableFact."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except (RevocationError, PositionConflict, UnreadableFact) as refusal:
                response = render(request.url.path, problem_of(refusal))
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return answer


def routes_of(tag: str) -> APIRouter:
    """A router of such routes."""
    return APIRouter(route_class=Route, tags=[tag], responses=refusals(400, 401, 403, 413, 503))


def refusals(*statuses: int) -> Responses:
    """For OpenAPI."""
    return problems((*TABLE.values(), *COMMON), *statuses)

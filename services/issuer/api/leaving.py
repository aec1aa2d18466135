"""POST /api/token/logout/ and /api/token/blacklist/: end the session of a token."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.issuer.api import cookies
from services.issuer.api.documented import front
from services.issuer.api.errors import problem_of
from services.issuer.api.parts import Parts
from services.issuer.api.refreshing import Nothing, RefreshBody, shown
from services.issuer.api.routing import FrontRoutes
from services.issuer.errors import InvalidToken


def routes(parts: Parts) -> APIRouter:
    """Log out, under both of its names."""
    api = FrontRoutes()

    @api.post("/api/token/logout/", status_code=204, response_class=Response, responses=front(400, 403))
    def logout(request: Request, body: RefreshBody | None = None) -> Response:
        """End the session of a genuine unexpired token, whatever its state; again is the same."""
        return _leave(parts, body, request, Response(status_code=204))

    @api.post("/api/token/blacklist/", response_model=Nothing, responses=front(400, 403))
    def blacklist(request: Request, body: RefreshBody | None = None) -> Response:
        """The same as logout, under the name that SimpleJWT gives it."""
        return _leave(parts, body, request, JSONResponse({}))

    return api


def _leave(parts: Parts, body: RefreshBody | None, request: Request, response: Response) -> Response:
    token = shown(parts, body, request)
    try:
        parts.sessions.logout(token.token)
    except InvalidToken as error:  # 401 would make front ends refresh first
        problem = problem_of(error)
        problem.status = 400
        raise problem from None
    if token.cookie:
        cookies.clear_refresh(response)
    return response

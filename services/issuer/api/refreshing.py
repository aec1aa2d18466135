"""POST /api/token/refresh/ and /api/token/verify/: go on with a session, or ask whether a token would still do."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from services.issuer.api import cookies
from services.issuer.api.documented import front
from services.issuer.api.fields import FrontBody, Token
from services.issuer.api.parts import Parts
from services.issuer.api.routing import FrontRoutes
from services.issuer.api.signing_in import Tokens, token_answer
from services.issuer.api.where import context_of
from services.issuer.clients import FIRST_PARTY
from services.issuer.views import Pair
from services.problems import Problem


class RefreshBody(FrontBody):
    """In cookie mode the body may be empty: the token comes in the cookie."""

    refresh: Token | None = None


class VerifyBody(FrontBody):
    """A token of either kind."""

    token: Token


class Nothing(BaseModel):
    """`{}`."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A refresh token, and whether it came in a cookie."""

    token: str = field(repr=False)
    cookie: bool


def shown(parts: Parts, body: RefreshBody | None, request: Request) -> Shown:
    """The token that the request shows: of the body, else of its cookies, which only pages that we trust may use."""
    if body and body.refresh:
        return Shown(body.refresh, cookie=False)
    token = cookies.presented(request.cookies)
    if token is None:
        raise Problem(400, "invalid_request", "The request is malformed.", fields={"refresh": "Field required"})
    parts.origins.check_cookie_write(request.headers)
    return Shown(token, cookie=True)


def routes(parts: Parts) -> APIRouter:
    """Refresh and verify."""
    api = FrontRoutes()

    @api.post("/api/token/refresh/", response_model=Tokens, responses=front(400, 401, 403))
    async def refresh(request: Request, body: RefreshBody | None = None) -> Response:
        """Exchange the refresh token for a new pair; that of a back end's session goes to /oauth/token, with its secret."""
        token = shown(parts, body, request)
        context = context_of(request, parts.proxies)
        pair = await outcome(parts.sessions.refresh(token.token, context, client_id=FIRST_PARTY))
        response = token_answer(pair, cookie=token.cookie)
        if token.cookie:
            cookies.set_refresh(response, pair, parts.now() // 1000)
        return response

    @api.post("/api/token/verify/", response_model=Nothing, responses=front(400, 401, 403))
    def verify(body: VerifyBody) -> Nothing:
        """Say whether a token would be accepted now."""
        parts.sessions.verify(body.token)
        return Nothing()

    return api


async def outcome(refreshed: Future[Pair]) -> Pair:
    """Wait for a refresh. A client that goes away does not cancel it: it is decided together with others."""
    return await asyncio.shield(asyncio.wrap_future(refreshed))

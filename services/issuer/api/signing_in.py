"""POST /api/token/: name and password for a pair of tokens."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from services.issuer.api import cookies, device_cookie
from services.issuer.api.addresses import network_of
from services.issuer.api.device_cookie import Device, knows, new_device, remember
from services.issuer.api.documented import front
from services.issuer.api.fields import Bind, DeviceName, FrontBody, Name, Password
from services.issuer.api.parts import Parts
from services.issuer.api.routing import FrontRoutes
from services.issuer.api.throttling import Attempt
from services.issuer.api.where import context_of, cookie_device
from services.issuer.contexts import Login, RequestContext
from services.issuer.decisions import names
from services.issuer.errors import NoActiveAccount
from services.issuer.views import Pair


class SignIn(FrontBody):
    """`cookie`: keep the refresh token in an HttpOnly cookie instead of the body. `bind`: to where it begins."""

    username: Name
    password: Password
    remember_me: bool = False
    device_name: DeviceName | None = None
    cookie: bool = False
    bind: Bind = Field(default_factory=Bind)


class Tokens(BaseModel):
    """`refresh` is missing in cookie mode."""

    access: str
    refresh: str | None = None


def routes(parts: Parts) -> APIRouter:
    """Sign in."""
    api = FrontRoutes()

    @api.post("/api/token/", response_model=Tokens, responses=front(400, 401, 403, 429))
    async def sign_in(body: SignIn, request: Request) -> Response:
        """Sign in with name and password."""
        if body.cookie:
            parts.origins.check_sign_in(request.headers)
        return await parts.passwords.run(lambda: _answer(parts, body, request))

    return api


def token_answer(pair: Pair, *, cookie: bool) -> JSONResponse:
    """The body of a sign-in or refresh. In cookie mode no script ever sees the refresh token."""
    return JSONResponse({"access": pair.access} if cookie else {"access": pair.access, "refresh": pair.refresh})


def _answer(parts: Parts, body: SignIn, request: Request) -> Response:
    context = context_of(request, parts.proxies)
    device = cookie_device(request) or new_device()
    if body.cookie and context.device is None:
        context = RequestContext(ip=context.ip, user_agent=context.user_agent, device=device.id)
    account = names.username(body.username) or body.username  # the same account however it is spelt
    pair = _sign_in(parts, body, context, _attempt(parts, account, context, device))
    response = token_answer(pair, cookie=body.cookie)
    if body.cookie:
        cookies.begin(response, pair, parts.now() // 1000)
    if device_cookie.named(request.headers.get("rescind-device")) is None:
        cookies.set_device(response, remember(device, account, parts.device_key))
    return response


def _attempt(parts: Parts, account: str, context: RequestContext, device: Device) -> Attempt:
    known = device.id if knows(device, account, parts.device_key) else ""
    return Attempt(account=account, network=network_of(context.ip), device=known)


def _sign_in(parts: Parts, body: SignIn, context: RequestContext, attempt: Attempt) -> Pair:
    parts.throttle.check(attempt)
    login = Login(
        username=body.username,
        password=body.password,
        remember_me=body.remember_me,
        device_name=body.device_name or "",
        bind_ip=body.bind.ip,
        bind_device=body.bind.device,
    )
    try:
        return parts.sessions.sign_in(login, context)
    except NoActiveAccount:
        parts.throttle.failed(attempt)
        raise

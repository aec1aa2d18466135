"""/oauth/token (RFC 6749), /oauth/revoke (RFC 7009), /oauth/introspect (RFC 7662)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from services.issuer.api.documented import oauth
from services.issuer.api.forms import parse_form, required
from services.issuer.api.identifying import asking_client, client_of
from services.issuer.api.parts import Parts
from services.issuer.api.refreshing import outcome
from services.issuer.api.routing import machine_routes
from services.issuer.api.sessions import told
from services.issuer.api.where import context_of
from services.issuer.errors import InvalidScope
from services.issuer.views import Client
from services.problems import Problem

_TOKEN = ("grant_type", "refresh_token", "scope", "client_id", "client_secret", "client_ip", "user_agent", "device")
_ABOUT_TOKEN = ("token", "token_type_hint", "client_id", "client_secret")


class TokenAnswer(BaseModel):
    """RFC 6749 section 5.1; a client's own token has no refresh token beside it. `expires_in` in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str | None = None
    scope: str


class Introspection(BaseModel):
    """RFC 7662 section 2.2; nothing but `active` when it is false."""

    model_config = ConfigDict(extra="allow")

    active: bool


def routes(parts: Parts) -> APIRouter:
    """The OAuth endpoints. Clients authenticate by Basic or in the form."""
    api = machine_routes()

    @api.post(
        "/oauth/token", response_model=TokenAnswer, responses=oauth(400, 401), openapi_extra=_form_schema(_TOKEN, "grant_type")
    )
    async def token(request: Request) -> Response:
        """Grants `refresh_token` and `client_credentials`."""
        form = await _form(request)
        grant = required(form, "grant_type")
        client = await run_in_threadpool(client_of, parts, request, form)
        if grant == "refresh_token":
            return JSONResponse(await _refreshed(parts, request, form, client))
        if grant == "client_credentials":
            return JSONResponse(await run_in_threadpool(_own_token, parts, form, client))
        raise Problem(400, "unsupported_grant_type", "The grants here are refresh_token and client_credentials.")

    @api.post("/oauth/revoke", responses=oauth(400, 401), openapi_extra=_form_schema(_ABOUT_TOKEN, "token"))
    async def revoke(request: Request) -> Response:
        """End the session of a token; an unknown or expired one is no error."""
        form = await _form(request)
        client = await run_in_threadpool(client_of, parts, request, form)
        await run_in_threadpool(parts.sessions.revoke, required(form, "token"), client)
        return Response(status_code=200)

    @api.post(
        "/oauth/introspect",
        response_model=Introspection,
        responses=oauth(400, 401, 403),
        openapi_extra=_form_schema(_ABOUT_TOKEN, "token"),
    )
    async def introspect(request: Request) -> Response:
        """Say what a token says, or only that it is not active."""
        form = await _form(request)
        client = await run_in_threadpool(asking_client, parts, request, form)
        found = await run_in_threadpool(parts.sessions.introspect, required(form, "token"), client)
        return JSONResponse({"active": False} if found is None else {**found, "active": True})

    return api


async def _form(request: Request) -> dict[str, str]:
    return parse_form(request.headers.get("content-type", ""), await request.body())


async def _refreshed(parts: Parts, request: Request, form: Mapping[str, str], client: Client) -> dict[str, object]:
    """RFC 6749 section 6. A confidential client speaks for somebody else: only what it tells about him counts."""
    token = required(form, "refresh_token")
    if "scope" in form:
        await run_in_threadpool(_check_scope, parts, form, client)
    tells = told(form.get("client_ip"), form.get("user_agent"), form.get("device"))
    context = context_of(request, parts.proxies) if client.public else tells
    pair = await outcome(parts.sessions.refresh(token, context, client_id=client.id))
    return {
        "access_token": pair.access,
        "token_type": "Bearer",
        "expires_in": pair.expires_in,
        "refresh_token": pair.refresh,
        "scope": pair.scope,
    }


def _check_scope(parts: Parts, form: Mapping[str, str], client: Client) -> None:
    """More scope than the session has is refused; less is answered with what the session has, and said so (section 5.1)."""
    found = parts.sessions.introspect(form["refresh_token"], client)
    if found is not None and not set(form["scope"].split()) <= set(str(found.get("scope", "")).split()):
        raise InvalidScope


def _own_token(parts: Parts, form: Mapping[str, str], client: Client) -> dict[str, object]:
    """RFC 6749 section 4.4; no refresh token."""
    if client.public:
        raise Problem(400, "unauthorized_client", "A public client has no token of its own.")
    made = parts.clients.token(client, form.get("scope"))
    return {"access_token": made.token, "token_type": "Bearer", "expires_in": made.expires_in, "scope": made.scope}


def _form_schema(names: tuple[str, ...], needed: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in names}
    schema = {"type": "object", "properties": properties, "required": [needed]}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}}

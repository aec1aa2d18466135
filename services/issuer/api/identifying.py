"""Which OAuth client calls: RFC 6749 section 2.3, and a Bearer token where RFC 7662 allows one.

Failures are not throttled here: a client's secret has 256 random bits, and a limit per network would let one service with a wrong
secret lock out all its neighbours, revocations included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fastapi import Request
from fastapi.security import HTTPAuthorizationCredentials

from services.issuer.api.forms import credentials, invalid_client
from services.issuer.api.parts import Parts
from services.issuer.views import Client

INTROSPECT = "introspect"


def client_of(parts: Parts, request: Request, form: Mapping[str, str]) -> Client:
    """The client that authenticated itself, or a public one that only names itself. Problem 401 `invalid_client`."""
    shown = credentials(request.headers.getlist("authorization"), form)
    if shown is None:
        raise invalid_client()
    if shown.secret is not None:
        client = parts.clients.authenticate(shown.client_id, shown.secret)
    else:
        client = parts.clients.find(shown.client_id)
    if client is None or client.public is not (shown.secret is None):
        raise invalid_client()
    return client


def confidential_client(parts: Parts, request: Request, form: Mapping[str, str]) -> Client:
    """The client that authenticated itself. Problem 401 `invalid_client`, also for a public one."""
    client = client_of(parts, request, form)
    if client.public:
        raise invalid_client()
    return client


def asking_client(parts: Parts, request: Request, form: Mapping[str, str]) -> Client:
    """Who may introspect: a client that authenticated itself, or the bearer of a token with the scope for it."""
    authorization = request.headers.getlist("authorization")
    scheme, _, token = authorization[0].partition(" ") if len(authorization) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        return confidential_client(parts, request, form)
    caller = parts.access.require(INTROSPECT)(HTTPAuthorizationCredentials(scheme=scheme, credentials=token.strip()))
    client = parts.clients.find(caller.client_id)
    if client is None:
        raise invalid_client()
    return replace(client, scopes=caller.scopes)

"""FastAPI: the session as a parameter, and scopes as dependencies. They read what `rescind.asgi.RescindMiddleware` found."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, HTTPException
from fastapi.params import Depends as Dependency
from starlette.requests import HTTPConnection

from rescind.asgi import CLAIMS
from rescind.claims import Claims
from rescind.refusals import Refusal, lacks, no_token, refusal


def _current(connection: HTTPConnection) -> Claims:
    if CLAIMS not in connection.scope:
        raise RuntimeError("add rescind.asgi.RescindMiddleware to the app")
    claims = cast("Claims | None", connection.scope[CLAIMS])
    if claims is None:
        raise _exception(no_token("api"), "an access token is needed")
    return claims


CurrentSession = Annotated[Claims, Depends(_current)]
"""The claims of the request's token: `def me(session: CurrentSession)`."""


def require(scope: str) -> Dependency:
    """Refuse tokens without a scope: `dependencies=[require("payments:write")]`, or as the default of a parameter."""

    def check(session: CurrentSession) -> Claims:
        denied = lacks(session.scope, scope)
        if denied is not None:
            raise _exception(refusal(denied, realm="api", scope=scope), denied.detail)
        return session

    return cast("Dependency", Depends(check))


def _exception(answer: Refusal, detail: str) -> HTTPException:
    challenge = {name: value for name, value in answer.headers if name == "WWW-Authenticate"}
    return HTTPException(answer.status, detail, challenge)

"""Flask: the session, and scopes as decorators. They read what `rescind.wsgi.RescindMiddleware` found."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from flask import Response, request

from rescind.claims import Claims
from rescind.refusals import Refusal, lacks, no_token, refusal
from rescind.wsgi import CLAIMS

P = ParamSpec("P")
R = TypeVar("R")


def current_session() -> Claims | None:
    """Give the claims of the request's token; None on an open path."""
    if CLAIMS not in request.environ:
        raise RuntimeError("wrap app.wsgi_app in rescind.wsgi.RescindMiddleware")
    return cast("Claims | None", request.environ[CLAIMS])


def require(scope: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Refuse tokens without a scope; stands below `@app.route(…)`."""

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @functools.wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            session = current_session()
            if session is None:
                return _response(no_token("api"))
            denied = lacks(session.scope, scope)
            return _response(refusal(denied, realm="api", scope=scope)) if denied else view(*args, **kwargs)

        return checked

    return decorate


def _response(answer: Refusal) -> Response:
    return Response(answer.body, answer.status, list(answer.headers))

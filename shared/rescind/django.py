"""Django under WSGI: the session, and scopes as decorators. They read what `rescind.wsgi.RescindMiddleware` found."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

from django.http import HttpResponse  # type: ignore[import-untyped]  # Django ships no types

from rescind.claims import Claims
from rescind.refusals import Refusal, lacks, no_token, refusal
from rescind.wsgi import CLAIMS

P = ParamSpec("P")
R = TypeVar("R")


class Request(Protocol):
    """What is needed of a Django request."""

    META: dict[str, object]


def current_session(request: Request) -> Claims | None:
    """Give the claims of the request's token; None on an open path."""
    if CLAIMS not in request.META:
        raise RuntimeError("wrap get_wsgi_application() in rescind.wsgi.RescindMiddleware")
    return cast("Claims | None", request.META[CLAIMS])


def require(scope: str) -> Callable[[Callable[Concatenate[Request, P], R]], Callable[Concatenate[Request, P], R | HttpResponse]]:
    """Refuse tokens without a scope; decorates a view."""

    def decorate(view: Callable[Concatenate[Request, P], R]) -> Callable[Concatenate[Request, P], R | HttpResponse]:
        @functools.wraps(view)
        def checked(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
            session = current_session(request)
            if session is None:
                return _response(no_token("api"))
            denied = lacks(session.scope, scope)
            return _response(refusal(denied, realm="api", scope=scope)) if denied else view(request, *args, **kwargs)

        return checked

    return decorate


def _response(answer: Refusal) -> HttpResponse:
    headers = {name: value for name, value in answer.headers if name != "Content-Length"}
    return HttpResponse(answer.body, status=answer.status, headers=headers)

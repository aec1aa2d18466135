"""Sees each request go by: an access log line and a count, by the route's template and not by its path.

A path may hold an account's name, a query string anything; so neither is written.
"""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.metrics import Metrics

logger = logging.getLogger(__name__)

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_of(scope: Scope) -> str:
    """The template of the route that answered, such as `/v1/subjects/{sub}`."""
    return getattr(scope.get("route"), "path_format", "unknown")


class Observed:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, note status and time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status, seconds = 500, 0.0

        async def watched(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - started
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._note(scope, status, seconds or time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = scope["method"] if scope["method"] in _METHODS else "OTHER", route_of(scope)
        self._metrics.answered(method, route, status, seconds)
        level = logging.DEBUG if route in PROBES else logging.INFO
        fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2)}
        logger.log(level, "request", extra={"fields": fields})

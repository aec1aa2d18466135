"""A resource server that is protected by the ASGI middleware. `python -m demo.photos --help`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo.serving import serve
from rescind.asgi import CLAIMS, App, RequireScope, RescindMiddleware
from rescind.verifier import Verifier

_TICK_S = 0.2


def make_app(verifier: Verifier) -> App:
    """Three routes; the middleware guards two of them."""

    async def ready(_: Request) -> Response:
        return Response(status_code=204 if verifier.ready else 503)

    async def mine(request: Request) -> Response:
        """Whoever comes this far has a live session."""
        return JSONResponse({"photos": ["harbour.jpg", "cat.jpg"], "session": request.scope[CLAIMS].sid})

    async def stream(_: Request) -> Response:
        """Events for as long as the session lives: the middleware closes it."""
        return StreamingResponse(_ticks(), media_type="text/event-stream")

    reading = [Middleware(RequireScope, scope="photos:read")]
    routes = [
        Route("/readyz", ready),
        Route("/mine", mine, middleware=reading),
        Route("/stream", stream, middleware=reading),
    ]
    return RescindMiddleware(Starlette(routes=routes), verifier=verifier, paths={"/readyz": "open"})


async def _ticks() -> AsyncIterator[bytes]:
    while True:
        yield b"event: tick\ndata: {}\n\n"
        await asyncio.sleep(_TICK_S)


if __name__ == "__main__":
    serve("photos", make_app)

"""A Starlette service with a WebSocket and an event stream that end with their session. Run it: `uvicorn asgi_app:app`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from rescind import Verifier
from rescind.asgi import RequireScope, RescindMiddleware

verifier = Verifier(
    issuers="http://127.0.0.1:8000",
    audience="rescind",
    feed="http://127.0.0.1:8000",
    credential=Path("verifier.credential").read_text().strip(),
)


async def me(request: Request) -> JSONResponse:
    return JSONResponse({"sub": request.scope["rescind"].sub})


async def pay(_request: Request) -> JSONResponse:
    return JSONResponse({"paid": True})


async def ticks(_request: Request) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        while True:
            yield "data: tick\n\n"
            await asyncio.sleep(1)

    return StreamingResponse(lines(), media_type="text/event-stream")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


async def ready(_request: Request) -> JSONResponse:
    return JSONResponse({"ready": verifier.ready}, 200 if verifier.ready else 503)


app = Starlette(
    routes=[
        Route("/me", me),
        Route("/payments", pay, methods=["POST"], middleware=[Middleware(RequireScope, scope="payments:write")]),
        Route("/ticks", ticks),
        Route("/readyz", ready),
        WebSocketRoute("/echo", echo),
    ],
    middleware=[Middleware(RescindMiddleware, verifier=verifier, paths={"/readyz": "open"})],
)

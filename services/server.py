"""Serves an application over HTTP, and stops well: event streams end first, then requests drain, then loops end."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from services.loops import Loops
from services.runtime import CannotStart, Streams

DRAIN_S = 20
"""How long requests may take to finish at stop."""


class StreamsFirst(uvicorn.Server):
    """An open event stream never drains by itself: end them all before waiting for connections."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams, then the rest."""
        self._streams.end()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Take the address (port 0: any free one) before anything else is opened; CannotStart when somebody else has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
        # asyncio sets this only on sockets that name their protocol; without it each keep-alive answer waits 40 ms for an ACK
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "no such host"
        msg = f"Cannot listen on {host} port {port}: {reason}. Stop what listens there, or choose another --port or --host."
        raise CannotStart(msg) from error
    return listener


def address(listener: socket.socket, host: str, *, tls: bool) -> str:
    """The URL of a listener, such as `http://127.0.0.1:8000`."""
    port = listener.getsockname()[1]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def server(app: ASGIApp, streams: Streams, *, tls_cert: Path | None = None, tls_key: Path | None = None) -> StreamsFirst:
    """Configure uvicorn: no access log (ours has no query strings), no trust in forwarded headers (the issuer reads them)."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=DRAIN_S,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one, too
        msg = "Cannot use the certificate: --tls-cert and --tls-key must name readable PEM files that belong together."
        raise CannotStart(msg) from error
    return StreamsFirst(config, streams)


def serve(running: StreamsFirst, listener: socket.socket, loops: Loops) -> None:
    """Serve until SIGTERM or SIGINT, then stop in order; returns when all is done."""
    loops.start()
    try:
        with _signals_stop(running):
            running.run(sockets=[listener])
    finally:
        loops.stop()


@contextmanager
def _signals_stop(running: StreamsFirst) -> Iterator[None]:
    """Uvicorn raises the signal again after it has stopped; without this the process would die of it before its loops end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {kind: signal.signal(kind, running.handle_exit) for kind in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for kind, was in before.items():
            signal.signal(kind, was)

"""An application behind a real uvicorn on a free port of 127.0.0.1, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from services.application import application
from services.loops import Loops
from services.runtime import Service, Streams
from services.server import address, listen, serve, server


@contextmanager
def serving(*services: Service, streams: Streams | None = None) -> Iterator[str]:
    """Rooms as one application; yields the base URL."""
    streams = streams or Streams()
    loops = Loops([loop for service in services for loop in service.loops])
    listener = listen("127.0.0.1", 0)
    with served(application(services, loops, streams), streams, loops, listener):
        yield address(listener, "127.0.0.1", tls=False)


@contextmanager
def served(app: ASGIApp, streams: Streams, loops: Loops, listener: socket.socket) -> Iterator[None]:
    """At the end the server stops as in production: streams, requests, loops."""
    running = server(app, streams)
    thread = threading.Thread(target=serve, args=(running, listener, loops), daemon=True)
    thread.start()
    try:
        yield
    finally:
        running.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"

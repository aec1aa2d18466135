"""Rooms behind a real uvicorn on a free port of 127.0.0.1, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services.application import application
from services.loops import Loops
from services.runtime import Service, Streams
from services.server import listen, serve, server


@contextmanager
def serving(*services: Service, streams: Streams | None = None) -> Iterator[str]:
    """Yield the base URL; at the end the server stops as in production: streams, requests, loops."""
    streams = streams or Streams()
    loops = Loops([loop for service in services for loop in service.loops])
    running = server(application(services, loops, streams), streams)
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    thread = threading.Thread(target=serve, args=(running, listener, loops), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"

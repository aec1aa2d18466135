"""A TCP load balancer: new connections go to the targets in turn, past those that do not accept."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

_PIECE = 65536


class Balancer:
    """`turned_away`: connections for which there was no target."""

    def __init__(self, targets: Sequence[tuple[str, int]]) -> None:
        self._targets = targets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._turns = itertools.count()
        self.turned_away = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):  # closed: the end
            while True:
                client, _ = self._listener.accept()
                self._start(self._join, client)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            _end(one)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: object, *args: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
        return thread

    def _join(self, client: socket.socket) -> None:
        with client:
            server = self._reach()
            if server is None:
                self.turned_away += 1
                return
            with server:
                self._open |= {client, server}
                back = self._start(_pump, server, client)
                _pump(client, server)
                back.join()
                self._open -= {client, server}

    def _reach(self) -> socket.socket | None:
        first = next(self._turns)
        for place in range(len(self._targets)):
            target = self._targets[(first + place) % len(self._targets)]
            with suppress(OSError):
                return socket.create_connection(target, timeout=2)
        return None


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        source.settimeout(None)
        while data := source.recv(_PIECE):
            sink.sendall(data)
    _end(source)
    _end(sink)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def balancer(*urls: str) -> Iterator[Balancer]:
    """In front of these base URLs."""
    places = [url.removeprefix("http://").split(":") for url in urls]
    made = Balancer([(host, int(port)) for host, port in places])
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join(5)

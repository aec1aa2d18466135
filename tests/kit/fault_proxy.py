"""A TCP proxy between a verifier and its service that holds back, delays or cuts. What is held arrives when it is released."""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

STREAM = b"GET /v1/feed"
ACK = b"POST /v1/feed/ack"
UP, DOWN = "up", "down"  # towards the service, towards the verifier


P = TypeVar("P", bound="FaultProxy")


class FaultProxy:
    """Faults apply to connections whose first request begins with `only` (all of them where it is empty)."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._state = threading.Condition()
        self._held: dict[str, set[bytes]] = {UP: set(), DOWN: set()}
        self._delay = 0.0
        self._refusing = False
        self._closed = False
        self._passed: Counter[tuple[str, bytes]] = Counter()
        self._waiting: Counter[tuple[str, bytes]] = Counter()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def black_hole(self) -> None:
        """Nothing passes either way, nothing is closed: as behind a firewall that drops."""
        self._hold({UP, DOWN}, b"")

    def buffer(self, only: bytes = b"") -> None:
        """Answers are held back, questions pass: as behind a proxy that buffers."""
        self._hold({DOWN}, only)

    def delay(self, seconds: float) -> None:
        """Every piece of an answer comes so much later."""
        self._delay = seconds

    def await_piece(self, only: bytes) -> None:
        """Wait until one more piece of an answer to `only` has passed: it lies in the verifier's socket then."""
        with self._state:
            before = self._passed[DOWN, only]
            self._await(lambda: self._passed[DOWN, only] > before)

    def await_held(self, only: bytes) -> None:
        """Wait until a piece of an answer to `only` is held back."""
        with self._state:
            self._await(lambda: self._waiting[DOWN, only] > 0)

    def _await(self, what: Callable[[], bool]) -> None:
        if not self._state.wait_for(what, 10.0):
            raise TimeoutError("it never came to that")  # no AssertionError: a variant broken on purpose fails by those

    def release(self, only: bytes | None = None) -> None:
        """What was held arrives; `only` undoes one `buffer`, and nothing else."""
        with self._state:
            for held in self._held.values():
                held.difference_update(set(held) if only is None else {only})
            self._refusing = False
            self._state.notify_all()

    def reset(self, *, refuse: bool = False) -> None:
        """Cut all connections with RST; with `refuse`, new ones too until `release`."""
        with self._state:
            self._refusing = refuse
            sockets, self._sockets = self._sockets, []
        for one in sockets:
            _cut(one)

    def serve(self) -> None:
        with suppress(OSError):  # closed: the end
            while True:
                client, _ = self._listener.accept()
                if self._refusing:
                    _cut(client)
                    client.close()
                else:
                    self._start(self._connect, client)

    def close(self) -> None:
        with self._state:
            self._closed = True
            self._state.notify_all()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()
        for thread in self._threads:
            thread.join(5)

    def _hold(self, ways: set[str], only: bytes) -> None:
        with self._state:
            for way in ways:
                self._held[way].add(only)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _connect(self, client: socket.socket) -> None:
        with client:
            try:
                first = client.recv(65536)
                server = socket.create_connection(self._target)
            except OSError:
                return
            with server:
                with self._state:
                    self._sockets += [client, server]
                back = threading.Thread(target=self._pump, args=(server, client, DOWN, first), daemon=True)
                back.start()
                self._pass(server, first, UP, first)
                self._pump(client, server, UP, first)
                back.join()

    def _pump(self, source: socket.socket, sink: socket.socket, way: str, first: bytes) -> None:
        try:
            while data := source.recv(65536):
                if not self._pass(sink, data, way, first):
                    break
        except OSError:
            pass
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _pass(self, sink: socket.socket, data: bytes, way: str, first: bytes) -> bool:
        with self._state:
            if way == DOWN and self._delay:
                self._state.wait_for(lambda: self._closed, self._delay)
            about = [(way, only) for only in (STREAM, ACK) if first.startswith(only)]
            self._waiting.update(about)
            self._state.notify_all()
            self._state.wait_for(lambda: self._closed or not any(first.startswith(only) for only in self._held[way]))
            self._waiting.subtract(about)
            if self._closed:
                return False
        try:
            sink.sendall(data)
        except OSError:
            return False
        with self._state:
            self._passed.update(about)
            self._state.notify_all()
        return True


def _cut(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def fault_proxy(url: str) -> Iterator[FaultProxy]:
    with serving(FaultProxy, url) as proxy:
        yield proxy


@contextmanager
def serving(kind: type[P], url: str) -> Iterator[P]:
    """A proxy of this kind in front of a base URL."""
    host, port = url.removeprefix("http://").split(":")
    proxy = kind((host, int(port)))
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)

"""A server of plain sockets that answers with whatever bytes a test wants: half of them, none, another protocol's."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

HOLD = b"(nothing is said, nothing is closed)"


def http_answer(body: bytes, *, status: str = "200 OK", headers: Mapping[str, str] = {}) -> bytes:
    """A whole answer, after which the connection closes."""
    lines = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close", **headers}
    return "\r\n".join([f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in lines.items()), "", ""]).encode() + body


HTML = http_answer(b"<html><body>Sign in to continue</body></html>", headers={"Content-Type": "text/html"})


@dataclass
class RawServer:
    """`answers` are given in turn, the last one again and again."""

    url: str
    answers: list[bytes]
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def raw_server(*answers: bytes, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    listener, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()
    scheme = "https" if tls else "http"
    server = RawServer(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", list(answers))

    def serve() -> None:
        with suppress(OSError):  # closed: the end
            while True:
                client = listener.accept()[0]
                threading.Thread(target=one, args=(client,), daemon=True).start()

    def one(client: socket.socket) -> None:
        with suppress(OSError), tls.wrap_socket(client, server_side=True) if tls else client as connection:
            server.asked.append(_request(connection))
            answer = server.answers[min(len(server.asked), len(server.answers)) - 1]
            if answer == HOLD:
                ended.wait(30)
            else:
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server
    finally:
        ended.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body

"""A revocation service of a few lines that speaks the feed's protocol over real HTTP, with faults to order."""

from __future__ import annotations

import json
import math
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs, urlsplit

from rescind.changes import encode_change
from rescind.frames import Delta, Frame, Heartbeat, Snapshot, encode
from rescind.freshness import boot_clock
from rescind.position import Position
from rescind.revocations import RevocationList
from rescind.verdicts import ALWAYS, Change, Verdict
from rescind.vocabulary import Target, TargetType

CREDENTIAL = "a-verifiers-credential"
ISS = "https://issuer.test"


def ended(sn: int, iss: str = ISS) -> Change:
    return Change(Target(TargetType.SESSION, iss, "", sn), Verdict(end=ALWAYS, reason="logout"))


def lifted(sn: int, iss: str = ISS) -> Change:
    return Change(Target(TargetType.SESSION, iss, "", sn), None)


@dataclass
class FeedState:
    """What the service knows. `changed` guards all of it."""

    beat: float = 0.05
    sources: set[str] = field(default_factory=lambda: {ISS})
    changed: threading.Condition = field(default_factory=threading.Condition)
    listed: RevocationList = field(default_factory=lambda: RevocationList(Position(1, 0)))
    deltas: list[Delta] = field(default_factory=list)
    snapshots: dict[str, bytes] = field(default_factory=dict)
    acks: list[dict[str, object]] = field(default_factory=list)
    opened: list[str | None] = field(default_factory=list)
    frozen_at: float | None = None
    refusing: int = 0
    wrong_digest: bool = False
    lose_deltas: bool = False
    stopped: bool = False
    generation: int = 0
    documents: dict[str, bytes] = field(default_factory=dict)
    ack_connections: set[object] = field(default_factory=set)

    @property
    def head(self) -> Position:
        return self.listed.position

    def age_ms(self) -> int:
        return 0 if self.frozen_at is None else math.ceil(boot_clock() - self.frozen_at)  # never younger than it is


class FeedServer:
    """The test's hand on the service. `with feed_server() as server:`."""

    def __init__(self, url: str, state: FeedState) -> None:
        self.url = url
        self.state = state

    def publish(self, *changes: Change, ack: bool = False) -> Position:
        """Apply changes as one delta, and give the position."""
        state = self.state
        with state.changed:
            origin = state.head
            position = Position(origin.epoch, origin.seq + 1)
            state.listed.apply(position, changes)
            state.deltas.append(Delta(origin, position, tuple(map(encode_change, changes)), f"mark-{position}", ack))
            state.changed.notify_all()
        return position

    def raise_epoch(self, *kept: Change) -> None:
        """As after a restored database: the next epoch begins with what is left."""
        state = self.state
        with state.changed:
            state.listed = RevocationList(Position(state.head.epoch + 1, 0))
            state.listed.apply(Position(state.head.epoch, 1), kept)
            state.deltas.clear()
            state.changed.notify_all()

    def forget_deltas(self) -> None:
        """The list moves on: whoever is behind gets a snapshot."""
        with self.state.changed:
            self.state.deltas.clear()

    def cut(self) -> None:
        """End the streams that are open now."""
        with self.state.changed:
            self.state.generation += 1
            self.state.changed.notify_all()

    def freeze(self) -> None:
        """The projector is dead, the web tier lives: nothing new is known from now on."""
        with self.state.changed:
            self.state.frozen_at = boot_clock()

    def await_(self, what: Callable[[FeedState], bool], timeout: float = 10.0) -> None:
        with self.state.changed:
            if not self.state.changed.wait_for(lambda: what(self.state), timeout):
                raise TimeoutError("it never came to that")  # no AssertionError: a variant broken on purpose fails by those


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def state(self) -> FeedState:
        return cast("_Listener", self.server).state

    def log_message(self, *_args: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        document = self.state.documents.get(url.path)
        if document is not None:
            self._answer(200, document)
        elif not self._may():
            self._answer(401)
        elif self.state.refusing:
            self._answer(self.state.refusing, headers={"Retry-After": "0"})
        elif url.path == "/v1/feed":
            self._stream(parse_qs(url.query).get("after", [None])[0])
        else:
            self._snapshot(url.path)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._may():
            self._answer(401)
        elif self.state.refusing:
            self._answer(self.state.refusing)
        else:
            with self.state.changed:
                self.state.acks.append(body)
                self.state.ack_connections.add(self.client_address)
                age = self.state.age_ms()
                answer = {"head": str(self.state.head), "age_ms": age, "ages": dict.fromkeys(sorted(self.state.sources), age)}
                self.state.changed.notify_all()
            self._answer(200, json.dumps(answer).encode())

    def _may(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {CREDENTIAL}"

    def _snapshot(self, path: str) -> None:
        with self.state.changed:
            found = self.state.snapshots.get(path)
        self._answer(404 if found is None else 200, found or b"")

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, after: str | None) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with self.state.changed:
            self.state.opened.append(after)
            self.state.changed.notify_all()
        at = Position.parse(after) if after else None
        try:
            for frame in self._frames(at):
                data = encode(frame)
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            return  # the verifier has hung up

    def _frames(self, at: Position | None) -> Iterator[Frame]:
        state = self.state
        generation = state.generation
        while not state.stopped and state.generation == generation:
            with state.changed:
                frames, at = self._next(at)
                if not frames:
                    state.changed.wait(state.beat)
                    frames, at = self._next(at)
                frames = frames or [Heartbeat(state.head, dict.fromkeys(sorted(state.sources), state.age_ms()))]
            yield from frames

    def _next(self, at: Position | None) -> tuple[list[Frame], Position]:
        state = self.state
        oldest = state.deltas[0].origin if state.deltas else state.head
        if at is None or not oldest <= at <= state.head:
            path = f"/v1/snapshots/{state.head}"
            state.snapshots[path] = state.listed.snapshot()
            digest = "0" * 64 if state.wrong_digest else state.listed.digest()
            return [Snapshot(path, state.head, digest, f"mark-{state.head}")], state.head
        due = [delta for delta in state.deltas if delta.position > at]
        return ([] if state.lose_deltas else list(due)), state.head


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, state: FeedState, tls: ssl.SSLContext | None) -> None:
        self.state = state
        super().__init__(("127.0.0.1", 0), _Exchange)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """A verifier that hangs up is no news."""


@contextmanager
def feed_server(beat: float = 0.05, tls: ssl.SSLContext | None = None) -> Iterator[FeedServer]:
    """Yield a running service; `beat` is the pause between heartbeats in seconds."""
    listener = _Listener(FeedState(beat), tls)
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        scheme = "https" if tls else "http"
        yield FeedServer(f"{scheme}://127.0.0.1:{listener.server_address[1]}", listener.state)
    finally:
        with listener.state.changed:
            listener.state.stopped = True
            listener.state.changed.notify_all()
        listener.shutdown()
        thread.join(5)
        listener.server_close()

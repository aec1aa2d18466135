"""The feed over HTTP/1.1 with the standard library (docs/protocol.md)."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import isfinite
from urllib.parse import urlencode, urlsplit

from rescind.feed import Ack, Answer, FeedUnavailable, Stream
from rescind.position import Position

_MAX_SNAPSHOT = 1024 * 1024 * 1024
_MAX_ANSWER = 1024 * 1024
_SNAPSHOT_TRIES = 8
_BROKEN = (OSError, http.client.HTTPException)


class _NotHere(FeedUnavailable):
    """404."""


class HttpFeed:
    """`url` is the service's base URL; `credential` the verifier's own (`POST /v1/verifiers`). Times in seconds.

    `silence`: a stream without a byte for so long is dead (heartbeats come every second). `patience`: for all other answers.
    One thread may use `acknowledge` while another uses the rest.
    """

    def __init__(
        self,
        url: str,
        credential: str,
        *,
        silence: float = 4.0,
        patience: float = 5.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise ValueError("the feed is an http or https URL without credentials in it")
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {credential}"}
        self._silence, self._patience = silence, patience
        self._ack_connection: http.client.HTTPConnection | None = None

    def open(self, after: Position | None, mark: str) -> Stream:
        """`GET /v1/feed`."""
        query = {} if after is None else {"after": str(after), **({"mark": mark} if mark else {})}
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        connection = self._connection(self._silence)
        try:
            with _reaching():
                connection.connect()
            stream = HttpStream(connection)
            stream.begin(_ask(connection, "GET", f"{self._path}/v1/feed?{urlencode(query)}", self._headers | headers))
        except FeedUnavailable:
            connection.close()
            raise
        return stream

    def snapshot(self, url: str) -> bytes:
        """Fetch `url`, a path on the feed's own host: the credential goes nowhere else.

        Behind a load balancer a new connection may end at another replica, which has not made this snapshot: ask again.
        """
        if not url.startswith("/") or url.startswith("//"):
            raise ValueError("a snapshot's url is a path on the feed's host")
        for _ in range(_SNAPSHOT_TRIES - 1):
            with suppress(_NotHere):
                return self._snapshot(url)
        return self._snapshot(url)

    def _snapshot(self, url: str) -> bytes:
        connection = self._connection(self._patience)
        try:
            response = _ask(connection, "GET", self._path + url, self._headers)
            return _body(response, _MAX_SNAPSHOT)
        finally:
            connection.close()

    def acknowledge(self, ack: Ack) -> Answer:
        """`POST /v1/feed/ack`, over a connection that is kept."""
        body = json.dumps(
            {
                "instance": ack.instance,
                "at": str(ack.at),
                "mark": ack.mark,
                "max_staleness": ack.max_staleness,
                "policy": ack.policy,
                "applied": ack.applied,
            }
        ).encode()
        kept, self._ack_connection = self._ack_connection, None
        if kept is not None and _hung_up(kept):
            kept.close()
            kept = None
        connection = kept or self._connection(self._patience)
        try:
            headers = self._headers | {"Content-Type": "application/json"}
            answer = _answer(_body(_ask(connection, "POST", f"{self._path}/v1/feed/ack", headers, body), _MAX_ANSWER))
        except BaseException:
            connection.close()
            raise
        self._ack_connection = connection
        return answer

    def close(self) -> None:
        """Close the connection that `acknowledge` keeps."""
        kept, self._ack_connection = self._ack_connection, None
        if kept is not None:
            kept.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)


class HttpStream:
    """An open `GET /v1/feed`."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._socket = connection.sock  # the connection forgets it when the server announces that it will close
        self._response: http.client.HTTPResponse | None = None

    def begin(self, response: http.client.HTTPResponse) -> None:
        """Take the answer to read from."""
        self._response = response
        if response.headers.get_content_type() != "text/event-stream":
            self.close()
            raise FeedUnavailable("the feed's address answers, but not with an event stream")

    def read(self) -> bytes:
        """Wait for the next piece; FeedUnavailable after `silence` seconds without one."""
        if self._response is None:
            return b""
        try:
            return self._response.read1(65536)
        except TimeoutError as error:
            raise FeedUnavailable("the feed is silent: no heartbeat arrives") from error
        except _BROKEN as error:
            raise FeedUnavailable("the feed's connection broke") from error

    def interrupt(self) -> None:
        """Wake a waiting `read`."""
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # the plain one: TLS has state that the reading thread holds

    def close(self) -> None:
        """Close the connection."""
        if self._response is not None:
            self._response.close()
        self._connection.close()


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise FeedUnavailable("the revocation service does not answer in time") from error
    except ssl.SSLCertVerificationError as error:
        raise FeedUnavailable("the revocation service's certificate is not trusted") from error
    except _BROKEN as error:
        raise FeedUnavailable("the revocation service cannot be reached") from error


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
) -> http.client.HTTPResponse:
    with _reaching():
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
    if response.status == http.client.OK:
        return response
    if response.status == http.client.NOT_FOUND:
        raise _NotHere("the revocation service answers 404")
    why = {  # by status
        http.client.UNAUTHORIZED: "the revocation service refuses this verifier's credential",
        http.client.FORBIDDEN: "the revocation service refuses this verifier's credential",
        http.client.SERVICE_UNAVAILABLE: "the revocation service asks to come back later",
    }.get(response.status, f"the revocation service answers {response.status}")
    raise FeedUnavailable(why, retry_after=_seconds(response.headers.get("Retry-After", "")))


def _body(response: http.client.HTTPResponse, limit: int) -> bytes:
    with _reaching():
        body = response.read(limit + 1)
    if len(body) > limit:
        raise FeedUnavailable("the revocation service's answer is too long")
    return body


def _answer(body: bytes) -> Answer:
    data = json.loads(body)
    try:
        answer = Answer(Position.parse(data["head"]), data["age_ms"], dict(data["ages"]))
    except (KeyError, TypeError) as error:
        raise ValueError("the answer to an acknowledgement is malformed") from error
    if not all(type(age) in {int, float} and isfinite(age) for age in (answer.age_ms, *answer.ages.values())):
        raise ValueError("the answer to an acknowledgement has an age that is no number")  # NaN would pass for fresh
    return answer


def _hung_up(connection: http.client.HTTPConnection) -> bool:
    """Tell whether the server has closed a connection that nobody used for a while: only then something is to be read."""
    if connection.sock is None:
        return True
    connection.sock.settimeout(0)
    try:
        connection.sock.recv(1, *([] if isinstance(connection.sock, ssl.SSLSocket) else [socket.MSG_PEEK]))
    except (BlockingIOError, ssl.SSLWantReadError):
        connection.sock.settimeout(connection.timeout)
        return False
    except OSError:
        return True
    return True


def _seconds(text: str) -> float:
    return min(float(text), 60.0) if text.isascii() and text.isdigit() else 0.0

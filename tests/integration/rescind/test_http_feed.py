from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from kit.certificates import tls
from kit.feed_server import CREDENTIAL, ISS, FeedServer, ended, feed_server
from kit.raw_server import http_answer, raw_server

from rescind.feed import Ack, Answer, FeedUnavailable
from rescind.frames import Decoder, Delta, Frame, Heartbeat, Snapshot
from rescind.http_feed import HttpFeed
from rescind.position import Position

NOT_FOUND = http_answer(b"{}", status="404 Not Found")
ACK = Ack("v-1", Position(1, 0), "mark-1.0", 10.0, "strict", ((0, 5),))


@pytest.fixture
def service() -> Iterator[FeedServer]:
    with feed_server() as server:
        yield server


@pytest.fixture
def feed(service: FeedServer) -> Iterator[HttpFeed]:
    with closing(HttpFeed(service.url, CREDENTIAL)) as feed:
        yield feed


def first(feed: HttpFeed, kind: type[Frame], after: Position | None = None) -> Frame:
    decoder = Decoder()
    with closing(feed.open(after, "a-mark")) as stream:
        while True:
            for frame in decoder.feed(stream.read()):
                if isinstance(frame, kind):
                    return frame


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Yield the URL of a server that gives everyone one answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_frames_snapshots_and_acknowledgements(service: FeedServer, feed: HttpFeed) -> None:
    position = service.publish(ended(1))
    frame = first(feed, Snapshot)
    assert isinstance(frame, Snapshot)
    assert feed.snapshot(frame.url) == service.state.listed.snapshot()
    assert isinstance(first(feed, Delta, Position(1, 0)), Delta)
    assert first(feed, Heartbeat, position) == Heartbeat(position, {ISS: 0})
    assert feed.acknowledge(ACK) == Answer(position, 0, {ISS: 0})
    assert service.state.acks == [
        {"instance": "v-1", "at": "1.0", "mark": "mark-1.0", "max_staleness": 10.0, "policy": "strict", "applied": [[0, 5]]}
    ]


def test_acknowledgements_share_a_connection_and_outlive_it(service: FeedServer, feed: HttpFeed) -> None:
    for _ in range(3):
        feed.acknowledge(ACK)
    assert len(service.state.ack_connections) == 1
    assert feed._ack_connection
    feed._ack_connection.sock.shutdown(socket.SHUT_RDWR)  # as a server that closes what is idle
    feed.acknowledge(ACK)
    assert len(service.state.ack_connections) == 2


def test_a_wrong_credential_is_named_and_not_shown(service: FeedServer) -> None:
    feed = HttpFeed(service.url, "a-secret")
    for call in (lambda: feed.open(None, ""), lambda: feed.snapshot("/v1/snapshots/1.0"), lambda: feed.acknowledge(ACK)):
        with pytest.raises(FeedUnavailable, match="refuses this verifier's credential") as caught:
            call()
        assert "a-secret" not in str(caught.value)


def test_a_waiting_read_can_be_interrupted_from_another_thread(feed: HttpFeed, service: FeedServer) -> None:
    service.state.beat = 60
    stream = feed.open(service.state.head, "")
    timer = threading.Timer(0.05, stream.interrupt)
    timer.start()
    with suppress(FeedUnavailable):
        assert stream.read() == b""
    stream.close()
    timer.join()


def test_silence_is_an_error(service: FeedServer) -> None:
    service.state.beat = 60
    with (
        closing(HttpFeed(service.url, CREDENTIAL, silence=0.05).open(service.state.head, "")) as stream,
        pytest.raises(FeedUnavailable, match="silent"),
    ):
        stream.read()


def test_a_snapshot_that_another_replica_has_is_asked_for_again() -> None:
    """A load balancer sends each connection to another one."""
    with (
        raw_server(NOT_FOUND, NOT_FOUND, http_answer(b"the snapshot")) as server,
        closing(HttpFeed(server.url, CREDENTIAL)) as feed,
    ):
        assert feed.snapshot("/v1/snapshots/1.7") == b"the snapshot"


def test_a_snapshot_that_nobody_has_is_given_up() -> None:
    with raw_server(NOT_FOUND) as server:
        feed = HttpFeed(server.url, CREDENTIAL)
        with pytest.raises(FeedUnavailable, match="404"):
            feed.snapshot("/v1/snapshots/1.7")
        assert 1 < len(server.asked) < 20


def test_a_snapshot_is_fetched_from_the_feeds_own_host_only(feed: HttpFeed) -> None:
    for url in ("http://elsewhere.example/v1/snapshots/1.0", "//elsewhere.example/x", "v1/snapshots/1.0"):
        with pytest.raises(ValueError, match="path on the feed's host"):
            feed.snapshot(url)


@pytest.mark.parametrize(
    ("answer", "words", "retry_after"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", "not with an event stream", 0),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", "answers 302", 0),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", "come back later", 7),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: 999999\r\nContent-Length: 0\r\n\r\n", "come back later", 60),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: Tomorrow\r\nContent-Length: 0\r\n\r\n", "come back later", 0),
        (b"HTTP/1.1 799 What\r\nContent-Length: 0\r\n\r\n", "answers 799", 0),
        (b"SSH-2.0-OpenSSH\r\n", "cannot be reached", 0),
        (b"", "cannot be reached", 0),
    ],
)
def test_what_is_no_feed_is_unavailable(answer: bytes, words: str, retry_after: float) -> None:
    with answering(answer) as url, pytest.raises(FeedUnavailable, match=words) as caught:
        HttpFeed(url, CREDENTIAL).open(None, "")
    assert caught.value.retry_after == retry_after


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"rubbish",
        b'{"head":"1","age_ms":0,"ages":{}}',
        b'{"head":"1.1","age_ms":null,"ages":{}}',
        b'{"head":"1.1","age_ms":true,"ages":{}}',
        b'{"head":"1.1","age_ms":NaN,"ages":{}}',
        b'{"head":"1.1","age_ms":0,"ages":{"x":NaN}}',
        b'{"head":"1.1","age_ms":0,"ages":{"x":1e999}}',
        b'{"head":"1.1","age_ms":0,"ages":[1]}',
    ],
)
def test_a_malformed_answer_proves_nothing(body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with answering(answer) as url, pytest.raises(ValueError, match=r"."):
        HttpFeed(url, CREDENTIAL).acknowledge(ACK)


def test_over_tls_with_a_trusted_certificate_only(tmp_path: Path) -> None:
    server, client = tls(tmp_path)
    with feed_server(tls=server) as service:
        position = service.publish(ended(1))
        with closing(HttpFeed(service.url, CREDENTIAL, tls=client)) as feed:
            assert isinstance(first(feed, Snapshot), Snapshot)
            assert [feed.acknowledge(ACK).head for _ in range(3)] == [position] * 3
            assert len(service.state.ack_connections) == 1
        with pytest.raises(FeedUnavailable, match="certificate is not trusted"):
            HttpFeed(service.url, CREDENTIAL).open(None, "")


@pytest.mark.parametrize("url", ["", "ftp://host", "host:80", "http://", "http://user:secret@host"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="feed") as caught:
        HttpFeed(url, CREDENTIAL)
    assert "secret" not in str(caught.value)


def test_a_path_before_the_feed_is_kept() -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536).partition(b"\r\n")[0])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        feed = HttpFeed(f"http://127.0.0.1:{listener.getsockname()[1]}/rescind/", CREDENTIAL)
        with pytest.raises(FeedUnavailable):
            feed.open(Position(1, 2), "m+k")
        thread.join(5)
    assert asked == [b"GET /rescind/v1/feed?after=1.2&mark=m%2Bk HTTP/1.1"]

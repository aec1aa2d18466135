"""A Kafka that is away costs no file descriptor, however long, and one that refuses is heard. No broker is needed for that."""

from __future__ import annotations

import gc
import logging
import socket
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaTCPTransport
from kit.certificates import tls
from kit.open_files import open_files

from eventlog.kafka.client import options
from eventlog.kafka.cloudevents import Message
from eventlog.kafka.connecting import Connecting
from eventlog.kafka.consumer import Consumer
from eventlog.kafka.dialing import TcpTransport
from eventlog.kafka.errors import KafkaUnavailable
from eventlog.kafka.producer import Producer
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.topics import SESSIONS, ensure_topics


@pytest.fixture
def away() -> Iterator[KafkaSettings]:
    """A port that refuses: it is bound, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield KafkaSettings(f"127.0.0.1:{taken.getsockname()[1]}", timeout=1.0)


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[KafkaSettings]:
    """A port that takes connections and never says a word, TLS's neither."""
    tls(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield KafkaSettings(f"127.0.0.1:{server.getsockname()[1]}", str(tmp_path / "certificate.pem"), timeout=1.0)


@pytest.fixture(autouse=True)
def no_collector(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A process with much in memory runs it seldom. No line of a log holds an error, and so the socket, either."""
    caplog.set_level(logging.CRITICAL, "kafka")
    gc.collect()
    gc.disable()
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the control's
        gc.collect()
    gc.enable()


def test_a_consumer_holds_no_more_after_many_attempts(away: KafkaSettings) -> None:
    before = open_files()
    consumer = Consumer(away, SESSIONS)
    consumer.assign({0: 0})
    consumer.poll(0.1)
    at_first = open_files()
    for _ in range(3):
        assert consumer.poll(1.0) == []
    assert open_files() <= at_first + 1, "one attempt may be under way"
    consumer.close()
    assert open_files() == before


def test_kafka_python_alone_would_hold_a_socket_for_each_attempt(away: KafkaSettings) -> None:
    """The control."""
    consumer = KafkaConsumer(**options(away))
    consumer.assign([TopicPartition(SESSIONS.name, 0)])
    consumer.poll(timeout_ms=100)
    at_first = open_files()
    for _ in range(3):
        consumer.poll(timeout_ms=1000)
    assert open_files() > at_first + 1
    consumer.close()


@pytest.mark.parametrize("where", ["away", "silent"])
def test_a_failed_delivery_and_a_failed_command_leave_nothing_open(where: str, request: pytest.FixtureRequest) -> None:
    settings: KafkaSettings = request.getfixturevalue(where)
    before = open_files()
    producer = Producer(settings, SESSIONS)
    for _ in range(2):
        with pytest.raises(KafkaUnavailable):
            producer.deliver([(0, Message(b"key", b"value", ()))])
        assert open_files() == before
    with pytest.raises(KafkaUnavailable):
        ensure_topics(settings)
    assert open_files() == before


def test_a_handshake_that_nobody_answers_is_given_up(silent: KafkaSettings) -> None:
    """Else one node that vanished in the middle of it would be waited for until the process ends."""
    connecting = Connecting()
    client = connecting.client(**options(replace(silent, timeout=1.0)), socket_connection_setup_timeout_ms=200)
    for _ in range(20):
        client.poll(timeout_ms=200)
        client.maybe_connect(client.least_loaded_node(bootstrap_fallback=True))
        if connecting.failure:
            break
    client.close()
    assert "Handshake failed" in str(connecting.failure)


@dataclass
class _Heard:
    """What a transport told its connection."""

    words: list[bytes] = field(default_factory=list)
    ended: bool = False
    _sensors: None = None

    def data_received(self, data: bytes) -> None:
        self.words.append(data)

    def connection_lost(self, _: Exception | None) -> None:
        self.ended = True


@pytest.mark.parametrize(("transport", "heard"), [(TcpTransport, [b"why"]), (KafkaTCPTransport, [])], ids=["ours", "control"])
def test_what_a_broker_says_before_it_closes_is_heard(transport: type[KafkaTCPTransport], heard: list[bytes]) -> None:
    """When both come at once; kafka-python hears the end only."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.sendall(b"why")
    theirs.close()
    net, connection = NetworkSelector(), _Heard()
    reading = transport(net, ours)
    reading.set_protocol(connection)
    reading.resume_reading()
    while not connection.ended:
        net.poll(timeout_ms=100)
    net.close()
    assert connection.words == heard

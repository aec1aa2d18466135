"""A broker that stops answering, dies, or was never there: nothing lost, nothing doubled in effect, nothing piled up."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from contract.event_log_contract import event
from kafka import KafkaProducer
from kit.kafka_broker import KafkaCluster
from kit.kafka_log import KafkaLog, new_topic, tell_until_done

from eventlog.kafka.client import options
from eventlog.kafka.cloudevents import Message
from eventlog.kafka.connecting import Connecting
from eventlog.kafka.errors import KafkaUnavailable
from eventlog.kafka.feed import KafkaFeed
from eventlog.kafka.producer import Producer
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.sink import KafkaSink
from eventlog.kafka.topics import Topic
from eventlog.port import START, Recorded
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from rescind.position import Position

pytestmark = pytest.mark.kafka

EVENTS = [str(nth) for nth in range(1, 13)]


@pytest.fixture
def log(sql_log: SqlLog, impatient: KafkaSettings) -> Iterator[KafkaLog]:
    made = KafkaLog(sql_log, impatient, new_topic(impatient, 3))
    yield made
    made.close()


def test_a_write_that_timed_out_may_be_there_and_is_told_again(log: KafkaLog, kafka_broker: KafkaCluster) -> None:
    log.write(*EVENTS[:6])
    log.tell()
    (node,) = kafka_broker.nodes
    log.write(*EVENTS[6:])
    threads = threading.active_count()
    node.pause()
    with pytest.raises(KafkaUnavailable):
        log.relay.step()
    node.resume()

    tell_until_done(log)

    found, _ = log.everything()
    assert sorted((each.event.id for each in found), key=int) == EVENTS
    assert set(log.records_in_topic()) == set(EVENTS)
    assert len(log.records_in_topic()) > len(EVENTS), "control: the topic has some twice"
    assert log.refill.asked == 0
    log.close()
    assert threading.active_count() < threads, "what gave up left nothing behind"


def test_a_broker_killed_under_load_loses_and_doubles_nothing(log: KafkaLog, kafka_broker: KafkaCluster) -> None:
    (node,) = kafka_broker.nodes
    half, written = threading.Event(), threading.Event()

    def write() -> None:
        for nth in range(60):
            log.log.append(f"stream-{nth % 6}", [event(str(nth))], expected_version=nth // 6)
            Sequencer(log.log).number()
            if nth == 30:
                half.set()
        written.set()

    def tell() -> int:
        failures = 0
        while not written.is_set() or failures == 0:
            failures += tell_until_done(log)
        return failures + tell_until_done(log)

    with ThreadPoolExecutor(2) as pool:
        writing, telling = pool.submit(write), pool.submit(tell)
        half.wait(30)
        node.kill()
        node.start()
        writing.result()
        assert telling.result() > 0, "the relay met the dead broker"

    found, _ = log.everything()
    assert sorted(int(each.event.id) for each in found) == list(range(60))
    for nth in range(6):
        assert [each.version for each in found if each.stream == f"stream-{nth}"] == list(range(1, 11))


def test_a_reader_outlives_the_broker(log: KafkaLog, kafka_broker: KafkaCluster) -> None:
    (node,) = kafka_broker.nodes
    log.write(*EVENTS[:6])
    log.tell()
    before, checkpoint = log.everything()
    node.kill()
    with pytest.raises(KafkaUnavailable):
        log.feed.read(checkpoint)
    node.start()
    log.write(*EVENTS[6:])
    tell_until_done(log)

    after, _ = log.everything(checkpoint)

    assert sorted((each.event.id for each in before + after), key=int) == EVENTS


def test_a_broker_that_was_never_there_is_said_at_the_first_use() -> None:
    """No constructor waits for it, and none leaves a thread behind."""
    settings = KafkaSettings("127.0.0.1:1", timeout=0.5)
    topic = Topic("never", 1)
    threads = threading.active_count()
    sink = KafkaSink(settings, topic, iss="i", hash_at=lambda _: None)
    feed = KafkaFeed(settings, topic, iss="i", refill=NoRefill())

    for _ in range(2):
        with pytest.raises(KafkaUnavailable):
            sink.position()
        with pytest.raises(KafkaUnavailable):
            feed.read(START)
        with pytest.raises(KafkaUnavailable):
            Producer(settings, topic).deliver([(0, Message(None, b"", ()))])

    sink.close()
    feed.close()
    assert threading.active_count() == threads


def test_what_waits_for_a_silent_broker_is_bounded(impatient: KafkaSettings, kafka_broker: KafkaCluster) -> None:
    topic, taken = new_topic(impatient, 1), []
    message = Message(None, b"x" * 1000, ())
    producer = Producer(impatient, topic)
    bare = KafkaProducer(**options(impatient), kafka_client=Connecting().client)

    def many() -> Iterator[tuple[int, Message]]:
        for nth in range(5_000):
            taken.append(nth)
            yield 0, message

    producer.deliver([(0, message)])
    bare.send(topic.name, message.value).get(10)
    (node,) = kafka_broker.nodes
    node.pause()
    try:
        for _ in range(2):
            with pytest.raises(KafkaUnavailable):
                producer.deliver(many())
        waiting = [bare.send(topic.name, message.value) for _ in range(5_000)]
    finally:
        node.resume()
    assert 0 < len(taken) <= 2 * 500
    assert len(waiting) == 5_000, "control: the bare client takes everything into memory"
    for each in waiting:
        each.add_errback(lambda _: None)
    bare.close(30)
    producer.close()


def test_a_topic_that_nobody_made_is_no_reason_to_wait_for_ever(settings: KafkaSettings) -> None:
    missing = Topic("test-nobody-made-it", 1)
    quick = replace(settings, timeout=1.0)
    producer, feed = Producer(quick, missing), KafkaFeed(quick, missing, iss="i", refill=NoRefill())

    with pytest.raises(KafkaUnavailable):
        producer.deliver([(0, Message(None, b"", ()))])
    with pytest.raises(KafkaUnavailable):
        feed.read()

    producer.close()
    feed.close()


class NoRefill:
    def records(self, after: Position, *, limit: int) -> Sequence[Recorded]:
        raise AssertionError((after, limit))

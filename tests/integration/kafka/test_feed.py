from __future__ import annotations

from dataclasses import replace

import pytest
from contract.event_log_contract import event
from kit.kafka_log import ISS, KafkaLog, forget, make_again

from eventlog.kafka.cloudevents import Message, encode_mark, encode_record
from eventlog.kafka.consumer import Consumer
from eventlog.kafka.errors import RefillUnavailable, UnreadableMessage
from eventlog.kafka.feed import KafkaFeed
from eventlog.kafka.partitioning import partition_of
from eventlog.kafka.places import read_places
from eventlog.kafka.producer import Producer
from eventlog.kafka.tail import find_offsets
from eventlog.port import START, Checkpoint, Recorded
from eventlog.source_mark import SourceMark
from rescind.position import BEGINNING, Position

pytestmark = pytest.mark.kafka

EVENTS = [str(nth) for nth in range(1, 13)]
FAR = 4_000_000_000_000


def ids(records: list[Recorded] | tuple[Recorded, ...]) -> list[str]:
    return sorted((each.event.id for each in records), key=int)


def put(log: KafkaLog, *messages: tuple[int, Message]) -> None:
    producer = Producer(log.settings, log.topic)
    producer.deliver(messages)
    producer.close()


def record(log: KafkaLog, id_: str) -> Recorded:
    """An event as it stands in the log."""
    return next(each for each in log.log.read(limit=1000).records if each.event.id == id_)


# gaps


def test_what_the_topic_lacks_comes_from_the_log(log: KafkaLog) -> None:
    """A record was never sent, and the next one says so."""
    log.write(*EVENTS[:3], stream="one")
    first, second, third = (record(log, each) for each in EVENTS[:3])
    where = partition_of(first, 3)
    put(log, (where, encode_record(ISS, first, BEGINNING)), (where, encode_record(ISS, third, second.position or BEGINNING)))

    found, _ = log.everything()

    assert [each.event.id for each in found] == EVENTS[:3]
    assert found[1] == second, "byte for byte"
    assert log.records_in_topic() == ["1", "3"], "control: the topic alone does not have it"
    assert log.refill.asked == 1


def test_what_was_lost_before_a_watermark_comes_from_the_log_too(log: KafkaLog) -> None:
    log.write("1")
    mark = SourceMark(Position(1, 1), 1, BEGINNING, 0)
    put(log, *((partition, encode_mark(ISS, mark, Position(1, 1))) for partition in range(3)))

    batch = log.feed.read_marked()

    assert ids(batch.records) == ["1"]


@pytest.mark.parametrize("limit", [2, 500])
def test_a_reader_from_before_the_topics_beginning_refills(log: KafkaLog, limit: int) -> None:
    """Retention took what it had not read: it never skips to what is left."""
    log.write(*EVENTS[:4])
    log.tell()
    before, checkpoint = log.everything(limit=1)
    log.write(*EVENTS[4:10])
    log.tell()
    consumer = Consumer(log.settings, log.topic)
    forget(log.settings, log.topic, {partition: end for partition, (_, end) in consumer.bounds(range(3)).items()})
    consumer.close()
    log.write(*EVENTS[10:])
    log.tell()
    log.start_again()

    found, _ = log.everything(checkpoint, limit=limit)

    assert ids(before) == EVENTS[:4]
    assert ids(found) == EVENTS[4:]
    assert sorted(log.records_in_topic(), key=int) == EVENTS[10:], "control: the topic alone does not have them"


def test_a_reader_of_a_topic_that_was_cut_while_it_ran_refills(log: KafkaLog) -> None:
    log.write(*EVENTS[:4])
    log.tell()
    _, checkpoint = log.everything()
    log.write(*EVENTS[4:])
    log.tell()
    make_again(log.settings, log.topic)
    log.start_again()
    log.relay.agree()
    log.tell()

    found, _ = log.everything(checkpoint)

    assert ids(found) == EVENTS[4:]


def test_a_gap_that_cannot_be_filled_yet_stops_the_partition_and_no_more(log: KafkaLog) -> None:
    log.write("1")
    known = record(log, "1")
    unknown = Recorded("stream-9", 1, event("9"), Position(1, 9), b"x" * 32)
    put(
        log,
        (log.partition("1"), encode_record(ISS, known, BEGINNING)),
        (log.partition("9"), encode_record(ISS, unknown, Position(1, 8))),
    )

    first = log.feed.read()
    assert ids(first.records) == ["1"]
    for _ in range(2):
        with pytest.raises(RefillUnavailable):
            log.feed.read(first.checkpoint)


# what cannot be read


@pytest.mark.parametrize(
    "poison",
    [
        Message(None, b"junk", ()),
        Message(b"k", b"{}", (("ce_source", ISS.encode()), ("ce_specversion", b"1.0"), ("ce_type", b"t"))),
        Message(None, b"{}", (("ce_source", b"\xff"),)),
    ],
)
def test_an_unreadable_message_halts_after_what_came_before_it(log: KafkaLog, poison: Message) -> None:
    log.write("1")
    log.tell()
    put(log, (log.partition("1"), poison))
    log.write("2", stream="stream-1")
    log.tell()

    first = log.feed.read()
    assert ids(first.records) == ["1"]
    for _ in range(2):
        with pytest.raises(UnreadableMessage, match=rf"partition {log.partition('1')}, offset 2") as raised:
            log.feed.read(first.checkpoint)
    assert "junk" not in str(raised.value)


def test_another_sources_messages_are_not_looked_into(log: KafkaLog) -> None:
    other = "https://other.example"
    put(log, (0, Message(None, b"junk", (("ce_source", other.encode()),))))
    log.write("1")
    log.tell()

    assert ids(log.feed.read().records) == ["1"]


# watermarks


def test_a_watermark_counts_when_it_was_read_from_all_partitions(log: KafkaLog) -> None:
    early, late = SourceMark(Position(1, 1), 10, BEGINNING, 1), SourceMark(Position(1, 5), 50, Position(1, 2), 2)
    put(log, (0, encode_mark(ISS, late, BEGINNING)), (1, encode_mark(ISS, late, BEGINNING)))
    first = log.feed.read_marked()
    assert first.mark is None

    put(log, (2, encode_mark(ISS, early, BEGINNING)))
    second = log.feed.read_marked(first.checkpoint, wait=5)
    assert second.mark == early

    put(log, (2, encode_mark(ISS, late, BEGINNING)))
    third = log.feed.read_marked(second.checkpoint, wait=5)
    assert third.mark == late


def test_a_watermark_comes_with_or_after_the_records_before_it(log: KafkaLog) -> None:
    log.write(*EVENTS)
    log.tell()

    checkpoint, read = START, 0
    while True:
        batch = log.feed.read_marked(checkpoint, limit=5, wait=5)
        read += len(batch.records)
        checkpoint = batch.checkpoint
        if batch.mark is not None:
            break
        assert read < 12 or not batch.records
    assert (read, batch.mark.position, batch.mark.applied, batch.mark.live_sessions) == (12, Position(1, 12), Position(1, 7), 3)


def test_a_batch_that_was_not_applied_takes_its_watermark_with_it(log: KafkaLog) -> None:
    log.write(*EVENTS)
    log.tell()
    first = log.feed.read_marked(wait=5)
    while first.mark is None:
        first = log.feed.read_marked(first.checkpoint, wait=5)

    again = log.feed.read_marked(START, limit=1)

    assert again.mark is None
    assert len(again.records) == 1


def test_a_clock_that_runs_ahead_of_the_brokers_is_not_believed(log: KafkaLog) -> None:
    ahead = SourceMark(Position(1, 3), FAR, BEGINNING, 0)
    put(log, *((partition, encode_mark(ISS, ahead, BEGINNING)) for partition in range(3)))

    batch = log.feed.read_marked(wait=5)

    assert batch.ahead
    assert batch.mark == replace(ahead, time=0)


# checkpoints


def test_a_new_reader_goes_on_where_the_last_one_stopped(log: KafkaLog) -> None:
    log.write(*EVENTS)
    log.tell()
    _, checkpoint = log.everything()
    log.start_again()
    log.write("13")
    log.tell()

    found, _ = log.everything(checkpoint)

    assert ids(found) == ["13"]
    assert all(place.offset > 0 for place in read_places(checkpoint, range(3)).values()), "and need not look at the rest"


@pytest.mark.parametrize("watermarks", [0, 700])
def test_a_reader_of_the_other_road_may_go_on_here(log: KafkaLog, watermarks: int) -> None:
    log.write(*EVENTS[:6])
    log.tell()
    log.write(*EVENTS[6:])
    log.tell()
    mark = encode_mark(ISS, SourceMark(Position(1, 12), 1, BEGINNING, 0), Position(1, 12))
    put(log, *((partition, mark) for partition in range(3) for _ in range(watermarks)))

    found, _ = log.everything(Checkpoint("1.7"))

    assert ids(found) == EVENTS[7:]
    assert log.refill.asked == 0


def test_a_reader_of_the_other_road_need_not_read_everything(log: KafkaLog) -> None:
    mark = encode_mark(ISS, SourceMark(Position(1, 0), 1, BEGINNING, 0), BEGINNING)
    put(log, *((partition, mark) for partition in range(3) for _ in range(700)))
    log.write(*EVENTS)
    log.tell()
    consumer = Consumer(log.settings, log.topic)

    offsets = find_offsets(consumer, dict.fromkeys(range(3), Position(1, 0)), ISS, wait=5)
    consumer.close()

    assert all(offset > 400 for offset in offsets.values())


def test_workers_may_share_the_partitions(log: KafkaLog) -> None:
    log.write(*EVENTS)
    log.tell()
    feeds = [
        KafkaFeed(log.settings, log.topic, iss=ISS, refill=log.refill, partitions=partitions) for partitions in ([0], [1, 2])
    ]

    one, two = (list(feed.read().records) for feed in feeds)

    assert ids(one + two) == EVENTS
    assert {log.partition(each.event.id) for each in one} == {0}
    for feed in feeds:
        feed.close()


def test_a_long_silence_moves_the_checkpoint(log: KafkaLog) -> None:
    """Or a reader would go through days of watermarks when it starts again."""
    mark = encode_mark(ISS, SourceMark(Position(1, 0), 1, BEGINNING, 0), BEGINNING)
    put(log, *((partition, mark) for partition in range(3) for _ in range(400)))

    batch = log.feed.read()

    assert batch.records == ()
    assert sum(place.offset for place in read_places(batch.checkpoint, range(3)).values()) >= 1000
    assert log.feed.read(batch.checkpoint).checkpoint == batch.checkpoint


def test_a_caller_that_does_not_keep_it_is_not_sent_back(log: KafkaLog) -> None:
    """Or it would read the same watermarks again and again."""
    mark = encode_mark(ISS, SourceMark(Position(1, 0), 1, BEGINNING, 0), BEGINNING)
    put(log, *((partition, mark) for partition in range(3) for _ in range(400)))
    first = log.feed.read(START)
    second = log.feed.read(START)

    assert first.checkpoint != START
    assert second.checkpoint == START, "nothing was read a second time"
    assert log.feed.read_marked(START).mark is not None

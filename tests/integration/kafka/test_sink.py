from __future__ import annotations

from pathlib import Path

import pytest
from contract.event_log_contract import event
from kit.kafka_log import ISS, KafkaLog, make_again
from sqlalchemy import MetaData

from eventlog.kafka.cloudevents import Marked, Message, Sent, encode_mark, encode_record
from eventlog.kafka.producer import Producer
from eventlog.kafka.settings import KafkaSettings
from eventlog.port import Checkpoint, Recorded
from eventlog.source_mark import SourceMark
from eventlog.sql.engine import open_engine, write_connection
from eventlog.sql.log import SqlLog
from eventlog.sql.tables import log_tables
from rescind.position import BEGINNING, Position

pytestmark = pytest.mark.kafka

EVENTS = [str(nth) for nth in range(1, 13)]


def test_every_record_names_what_was_sent_before_it_to_its_partition(log: KafkaLog) -> None:
    log.limit = 5
    log.start_again()
    log.write(*EVENTS)
    log.tell()

    for partition in range(3):
        reached = BEGINNING
        for read in (read for where, read in log.in_topic() if where == partition):
            assert read.prev == reached
            reached = read.mark.position if isinstance(read, Marked) else read.recorded.position or BEGINNING
        assert reached == Position(1, 12)


def test_the_watermark_reaches_every_partition_after_all_before_it(log: KafkaLog) -> None:
    log.write("1")
    log.tell()

    assert [type(read) for where, read in log.in_topic() if where == log.partition("1")] == [Sent, Marked]
    marks = [(where, read.mark.position) for where, read in log.in_topic() if isinstance(read, Marked)]
    assert sorted(marks) == [(0, Position(1, 1)), (1, Position(1, 1)), (2, Position(1, 1))]


def test_a_new_topic_knows_nothing(log: KafkaLog) -> None:
    assert log.sink.position() is None


def test_a_new_relay_goes_on_where_the_topic_ends(log: KafkaLog) -> None:
    log.write(*EVENTS)
    log.tell()
    log.start_again()

    assert log.relay.agree() == Position(1, 12)

    log.write("13")
    log.tell()
    assert sorted(log.records_in_topic(), key=int) == [*EVENTS, "13"]
    assert log.restored == []


def test_what_only_some_partitions_have_is_sent_again(log: KafkaLog) -> None:
    """The relay died in the middle: a record is there without the watermark, or a watermark in one partition only."""
    log.write(*EVENTS)
    log.tell()
    log.write("13")
    (record,) = log.log.read(log.log.read(limit=12).checkpoint).records
    producer = Producer(log.settings, log.topic)
    mark = SourceMark(Position(1, 13), 1, BEGINNING, 0)
    producer.deliver([((log.partition("13") + 1) % 3, encode_mark(ISS, mark, Position(1, 12)))])
    producer.close()
    log.start_again()

    assert log.relay.agree() == Position(1, 12)
    log.tell()

    assert [each.event.id for each in log.everything()[0] if each.position == record.position] == ["13"]
    assert len(log.everything()[0]) == 13


def test_the_end_of_a_topic_is_found_behind_what_others_wrote(log: KafkaLog) -> None:
    log.write("1")
    log.tell()
    other = [encode_mark("https://other.example", SourceMark(Position(1, nth), 1, BEGINNING, 0), BEGINNING) for nth in range(700)]
    producer = Producer(log.settings, log.topic)
    producer.deliver([(partition, mark) for partition in range(3) for mark in other])
    producer.close()

    assert log.sink.position() == Position(1, 1)


@pytest.mark.parametrize("marked", [True, False])
def test_a_log_that_was_put_back_is_found_out(log: KafkaLog, marked: bool) -> None:
    """The topic has more than the log; also when the relay died before it could send the watermark."""
    log.write("1", "2")
    log.tell()
    lost = [Recorded("lost", nth, event(f"lost-{nth}"), Position(1, nth), b"x" * 32) for nth in (3, 4)]
    producer = Producer(log.settings, log.topic)
    producer.deliver([(0, encode_record(ISS, each, Position(1, 2))) for each in lost])
    if marked:
        mark = SourceMark(Position(1, 4), 1, BEGINNING, 0)
        producer.deliver([(partition, encode_mark(ISS, mark, Position(1, 4))) for partition in range(3)])
    producer.close()
    log.start_again()

    log.relay.agree()

    assert log.restored == [Position(1, 4)]
    log.write("5")
    log.tell()
    assert [each.position for each in log.everything()[0] if each.event.id == "5"] == [Position(2, 1)]

    log.start_again()
    log.relay.agree()
    assert log.restored == [Position(1, 4)], "once put right, it stays so"


@pytest.mark.parametrize("grown", [1, 4], ids=["less than it had", "beyond what it had"])
def test_what_was_written_after_a_log_was_put_back_reaches_those_who_read_the_lost(
    log: KafkaLog, settings: KafkaSettings, tmp_path: Path, grown: int
) -> None:
    """A backup of the first three events is put back, and grows before the relay looks at the topic."""
    log.write("1", "2", "3", "4", "5", "6")
    log.tell()
    _, checkpoint = log.everything()
    log.close()
    backup = SqlLog(open_engine(f"sqlite:///{tmp_path}/backup.db", schema="test"), log_tables(MetaData()), name="test")
    backup.create()
    log = KafkaLog(backup, settings, log.topic)
    log.write("1", "2", "3")
    with write_connection(backup.engine) as connection:
        backup.set_cursor(connection, "kafka", Checkpoint("1.2"))
    new = [f"new-{nth}" for nth in range(grown)]
    log.write(*new)

    tell_on(log)
    after, later = log.everything(checkpoint)
    log.write("after")
    log.tell()
    last, _ = log.everything(later)

    assert set(new) <= {each.event.id for each in after}
    assert [each.event.id for each in last] == ["after"]
    assert log.restored == [Position(1, 6)]
    log.start_again()
    log.relay.agree()
    log.tell()
    assert log.restored == [Position(1, 6)], "once put right, it stays so"
    log.close()
    backup.engine.dispose()


def tell_on(log: KafkaLog) -> None:
    """Step until the watermark over everything is sent: finding out is a step of its own."""
    for _ in range(3):
        log.tell()


def test_junk_at_the_end_of_a_topic_is_left_to_its_readers(log: KafkaLog) -> None:
    log.write("1")
    log.tell()
    producer = Producer(log.settings, log.topic)
    producer.deliver([(partition, Message(None, b"junk", ())) for partition in range(3)])
    producer.close()

    assert log.sink.position() == Position(1, 1)


def test_a_topic_made_again_gets_what_comes_and_nobody_skips_what_is_gone(log: KafkaLog) -> None:
    log.write(*EVENTS[:6])
    log.tell()
    _, checkpoint = log.everything(limit=2)
    log.write(*EVENTS[6:9])
    log.tell()
    make_again(log.settings, log.topic)
    log.start_again()
    log.write(*EVENTS[9:])
    log.relay._cursor = Position(1, 9)  # as after an answer that was given before the topic went
    log.tell()

    found, _ = log.everything(checkpoint)

    assert sorted((each.event.id for each in found), key=int) == EVENTS[6:]
    assert sorted(log.records_in_topic(), key=int) == EVENTS[9:], "control: the topic alone does not have them"

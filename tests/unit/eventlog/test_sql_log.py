from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from contract.event_log_contract import event, ids
from sqlalchemy import MetaData

from eventlog.chain import GENESIS
from eventlog.errors import DuplicateEvent, VersionConflict
from eventlog.port import START, Checkpoint, Entry, Event
from eventlog.query import LogQuery
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from eventlog.sql.tables import log_tables
from rescind.position import BEGINNING, Position


def test_creating_again_changes_nothing(log: SqlLog) -> None:
    log.append("a", [event("1")], expected_version=0)
    Sequencer(log).number()

    log.create()

    assert log.head()[0] == Position(1, 1)


def test_an_empty_log_stands_before_its_first_epoch(log: SqlLog) -> None:
    assert log.head() == (Position(1, 0), GENESIS)
    assert log.hash_at(Position(1, 0)) == GENESIS
    assert log.hash_at(Position(2, 0)) is None
    assert log.hash_at(BEGINNING) is None


def test_a_batch_goes_in_whole_within_the_callers_transaction(log: SqlLog) -> None:
    log.append("a", [event("1")], expected_version=0)

    with write_connection(log.engine) as connection:
        assert log.versions(connection, ["a", "b"]) == {"a": 1, "b": 0}
        log.insert(connection, [Entry("a", 2, event("2")), Entry("b", 1, event("3")), Entry("a", 3, event("4"))])
        assert log.versions(connection, ["a", "b"]) == {"a": 3, "b": 1}

    Sequencer(log).number()
    assert ids(log.read().records) == ["1", "2", "3", "4"]


def test_an_empty_batch_is_nothing(log: SqlLog) -> None:
    with write_connection(log.engine) as connection:
        log.insert(connection, [])

    assert Sequencer(log).number().position == Position(1, 0)


@pytest.mark.parametrize(
    ("entries", "refusal"),
    [
        ([Entry("b", 1, event("2")), Entry("a", 1, event("3"))], VersionConflict),
        ([Entry("b", 1, event("2")), Entry("a", 3, event("3"))], VersionConflict),
        ([Entry("b", 1, event("2")), Entry("b", 3, event("3"))], VersionConflict),
        ([Entry("b", 0, event("2"))], VersionConflict),
        ([Entry("b", 1, event("2")), Entry("c", 1, event("1"))], DuplicateEvent),
    ],
)
def test_a_refused_batch_leaves_nothing(log: SqlLog, entries: list[Entry], refusal: type[Exception]) -> None:
    log.append("a", [event("1")], expected_version=0)

    with pytest.raises(refusal), write_connection(log.engine) as connection:
        log.insert(connection, entries)

    assert log.read_stream("b") == []
    assert ids(log.read_stream("a")) == ["1"]


def test_a_reader_notices_what_another_process_numbered(log: SqlLog) -> None:
    elsewhere = SqlLog(log.engine, log_tables(MetaData()), name="test")  # shares no wake-up

    with ThreadPoolExecutor() as pool:
        reading = pool.submit(lambda: log.read(START, wait=60))
        elsewhere.append("a", [event("1")], expected_version=0)
        Sequencer(elsewhere).number()

        assert ids(reading.result(timeout=30).records) == ["1"]


def test_a_checkpoint_that_is_no_position_is_refused(log: SqlLog) -> None:
    with pytest.raises(ValueError, match=r"EPOCH\.SEQ"):
        log.read(Checkpoint("yesterday"))


def test_records_and_watermark_are_of_one_moment(log: SqlLog) -> None:
    log.append("a", [event("1"), event("2"), event("3")], expected_version=0)
    mark = Sequencer(log).number()

    batch, seen = log.read_marked(Position(1, 1), limit=1)
    assert (ids(batch.records), batch.checkpoint, seen) == (["2"], "1.2", mark)
    batch, seen = log.read_marked(Position(1, 3), limit=1)
    assert (batch.records, batch.checkpoint, seen) == ((), "1.3", mark)
    assert log.watermark() == mark


def test_a_new_epoch_goes_on_with_the_chain(log: SqlLog) -> None:
    log.append("a", [event("1")], expected_version=0)
    Sequencer(log).number()
    _, before = log.head()

    assert log.raise_epoch() == Position(2, 0)
    assert log.head() == (Position(2, 0), before)
    assert log.raise_epoch(above=6) == Position(7, 0)
    log.append("a", [event("2")], expected_version=1)
    Sequencer(log).number()

    assert [str(each.position) for each in log.read().records] == ["1.1", "7.1"]
    assert log.hash_at(Position(7, 0)) == log.hash_at(Position(1, 1)) == before
    assert log.hash_at(Position(7, 1)) == log.head()[1]
    assert log.hash_at(Position(7, 2)) is None


QUERIES = [
    (LogQuery(), "12345"),
    (LogQuery(after=Position(1, 2)), "345"),
    (LogQuery(limit=2), "12"),
    (LogQuery(subject="u"), "124"),
    (LogQuery(session="s"), "25"),
    (LogQuery(type="x.v1"), "135"),
    (LogQuery(since=20), "2345"),
    (LogQuery(until=20), "1"),
    (LogQuery(since=20, until=40), "23"),
    (LogQuery(after=Position(1, 1), subject="u", type="y.v1", since=15, limit=1), "2"),
    (LogQuery(subject="nobody"), ""),
]


@pytest.fixture
def filled(log: SqlLog) -> SqlLog:
    fields = [("u", "", "x.v1"), ("u", "s", "y.v1"), ("v", "", "x.v1"), ("u", "", "y.v1"), ("", "s", "x.v1")]
    made = [
        Event(id=str(nth), time=nth * 10, subject=subject, session=session, type=type_)
        for nth, (subject, session, type_) in enumerate(fields, start=1)
    ]
    log.append("a", made, expected_version=0)
    Sequencer(log).number()
    log.append("a", [replace(made[0], id="6")], expected_version=5)  # has no position: is never found
    return log


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_a_query_finds_what_fits_all_its_filters(filled: SqlLog, query: LogQuery, expected: str) -> None:
    assert "".join(ids(filled.search(query))) == expected


def test_a_cursor_is_kept_with_the_transaction(log: SqlLog) -> None:
    assert log.cursor(None, "relay") == START

    with write_connection(log.engine) as connection:
        log.set_cursor(connection, "relay", Checkpoint("1.1"))
        assert log.cursor(connection, "relay") == "1.1"
    with suppress(ZeroDivisionError), write_connection(log.engine) as connection:
        log.set_cursor(connection, "relay", Checkpoint("1.2"))
        raise ZeroDivisionError

    assert log.cursor(None, "relay") == "1.1"
    assert log.cursor(None, "other") == START

"""What every event log must do, whatever keeps it. Subclass it and give `log`, where what was appended has a position."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

import pytest

from eventlog.chain import GENESIS, link
from eventlog.errors import DuplicateEvent, VersionConflict
from eventlog.port import START, Event, EventFeed, EventStore, Recorded
from rescind.position import Position


class Log(EventStore, EventFeed, Protocol):
    """Both sides of one log."""


def event(id_: str, **fields: str | bytes) -> Event:
    return replace(Event(id=id_, type="something.happened.v1", time=1_800_000_000_000, data=b'{"a":1}'), **fields)  # type: ignore[arg-type]


def ids(records: Sequence[Recorded]) -> list[str]:
    return [each.event.id for each in records]


def everything(feed: EventFeed, *, limit: int = 500) -> list[Recorded]:
    found: list[Recorded] = []
    checkpoint = START
    while (batch := feed.read(checkpoint, limit=limit)).records:
        found += batch.records
        checkpoint = batch.checkpoint
    return found


class EventLogContract:
    @pytest.fixture
    def log(self) -> Log:
        raise NotImplementedError

    def test_a_stream_is_read_in_version_order(self, log: Log) -> None:
        log.append("a", [event("1"), event("2")], expected_version=0)
        log.append("b", [event("3")], expected_version=0)
        log.append("a", [event("4")], expected_version=2)

        assert [(each.version, each.event.id) for each in log.read_stream("a")] == [(1, "1"), (2, "2"), (3, "4")]
        assert ids(log.read_stream("a", after_version=2)) == ["4"]
        assert log.read_stream("unknown") == []

    def test_append_returns_what_it_wrote(self, log: Log) -> None:
        written = log.append("a", [event("1"), event("2")], expected_version=0)

        assert [(each.stream, each.version, each.event) for each in written] == [("a", 1, event("1")), ("a", 2, event("2"))]

    def test_every_field_comes_back_as_it_went(self, log: Log) -> None:
        full = Event(id="1", type="t", time=7, subject="sü", session="se", data='{"ü":1}'.encode(), personal=b"\x00\xff")
        log.append("a", [full], expected_version=0)

        assert log.read_stream("a")[0].event == full
        assert log.read().records[0].event == full

    def test_a_reader_sees_all_in_gapless_order_and_goes_on_where_it_stopped(self, log: Log) -> None:
        for nth in range(7):
            log.append(f"stream-{nth % 2}", [event(str(nth))], expected_version=nth // 2)

        found = everything(log, limit=3)

        assert [each.position for each in found] == [Position(1, seq) for seq in range(1, 8)]
        assert ids(found) == [str(nth) for nth in range(7)]

    def test_at_the_end_the_checkpoint_stays(self, log: Log) -> None:
        assert log.read(START).checkpoint == START
        log.append("a", [event("1")], expected_version=0)
        end = log.read(START).checkpoint

        again = log.read(end)

        assert (again.records, again.checkpoint) == ((), end)

    @pytest.mark.parametrize("expected", [0, 1, 3, 9])
    def test_another_version_than_the_streams_is_a_conflict(self, log: Log, expected: int) -> None:
        log.append("a", [event("1"), event("2")], expected_version=0)

        with pytest.raises(VersionConflict):
            log.append("a", [event("3")], expected_version=expected)

        assert ids(log.read_stream("a")) == ids(everything(log)) == ["1", "2"]

    def test_a_stream_begins_at_zero(self, log: Log) -> None:
        with pytest.raises(VersionConflict):
            log.append("a", [event("1")], expected_version=1)

        assert everything(log) == []

    def test_an_id_is_taken_once(self, log: Log) -> None:
        log.append("a", [event("1")], expected_version=0)

        with pytest.raises(DuplicateEvent):
            log.append("b", [event("2"), event("1")], expected_version=0)
        with pytest.raises(DuplicateEvent):
            log.append("b", [event("3"), event("3")], expected_version=0)

        assert ids(everything(log)) == ["1"]

    def test_a_repeated_append_is_a_conflict_or_a_duplicate(self, log: Log) -> None:
        log.append("a", [event("1")], expected_version=0)

        with pytest.raises((VersionConflict, DuplicateEvent)):
            log.append("a", [event("1")], expected_version=0)

    def test_each_hash_covers_the_record_and_the_one_before(self, log: Log) -> None:
        log.append("a", [event("1"), event("2", personal=b"sealed")], expected_version=0)
        log.append("b", [event("3")], expected_version=0)

        previous = GENESIS
        for each in everything(log):
            assert each.hash == link(previous, each)
            previous = each.hash

    def test_a_waiting_reader_is_woken(self, log: Log) -> None:
        with ThreadPoolExecutor() as pool:
            reading = pool.submit(lambda: log.read(START, wait=60))
            log.append("a", [event("1")], expected_version=0)

            assert ids(reading.result(timeout=30).records) == ["1"]

    def test_one_of_many_writers_wins_a_version(self, log: Log) -> None:
        start = threading.Barrier(8)

        def write(nth: int) -> bool:
            start.wait()
            try:
                log.append("a", [event(str(nth))], expected_version=0)
            except VersionConflict:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(write, range(8)))

        assert sum(won) == len(everything(log)) == 1

    def test_a_live_reader_misses_nothing_of_eight_writers(self, log: Log) -> None:
        writing = threading.Event()

        def write(nth: int) -> None:
            for version in range(25):
                log.append(f"stream-{nth}", [event(f"{nth}.{version}")], expected_version=version)

        def read() -> list[Recorded]:
            return follow(log, writing.is_set)

        with ThreadPoolExecutor(9) as pool:
            reading = pool.submit(read)
            list(pool.map(write, range(8)))
            writing.set()
            found = reading.result()

        assert [each.position for each in found] == [Position(1, seq) for seq in range(1, 201)]
        for nth in range(8):
            assert [each.event.id for each in found if each.stream == f"stream-{nth}"] == [f"{nth}.{v}" for v in range(25)]


def follow(feed: EventFeed, done: Callable[[], bool]) -> list[Recorded]:
    """Read on until nothing is left after `done`."""
    found: list[Recorded] = []
    checkpoint = START
    while True:
        last_round = done()
        batch = feed.read(checkpoint, limit=10, wait=0.01)
        found += batch.records
        checkpoint = batch.checkpoint
        if last_round and not batch.records:
            return found

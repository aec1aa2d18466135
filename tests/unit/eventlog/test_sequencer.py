from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from contract.event_log_contract import event, everything, ids
from sqlalchemy import Engine, MetaData, select, text, update
from sqlalchemy import event as hooks

from eventlog.chain import GENESIS, link
from eventlog.errors import StoreUnavailable
from eventlog.port import Entry, Watermark
from eventlog.sql.engine import read_connection, write_connection
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from eventlog.sql.tables import log_tables
from rescind.position import Position

CLOCK = text("SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)")


def test_numbers_go_on_over_passes_and_chunks(log: SqlLog) -> None:
    log.append("a", [event(str(nth)) for nth in range(5)], expected_version=0)
    assert Sequencer(log, chunk=2).number().position == Position(1, 5)
    log.append("a", [event("5")], expected_version=5)
    assert Sequencer(log, chunk=2).number().position == Position(1, 6)

    found = everything(log)

    assert [each.position for each in found] == [Position(1, seq) for seq in range(1, 7)]
    assert ids(found) == ["0", "1", "2", "3", "4", "5"]
    previous = GENESIS
    for each in found:
        previous = link(previous, each)
        assert each.hash == previous
    assert log.head() == (Position(1, 6), previous)


def test_a_pass_with_nothing_to_do_moves_only_the_time(log: SqlLog) -> None:
    log.append("a", [event("1")], expected_version=0)
    first = Sequencer(log).number()
    with write_connection(log.engine) as connection:
        connection.execute(update(log.tables.head).values(time=first.time - 1000))

    second = Sequencer(log).number()

    assert second.position == first.position
    assert second.time >= first.time


def test_the_time_stands_still_while_something_is_left(log: SqlLog) -> None:
    log.append("a", [event(str(nth)) for nth in range(3)], expected_version=0)
    sequencer = Sequencer(log, chunk=2)

    with write_connection(log.engine) as connection:
        mark, more, _ = sequencer._pass(connection)
    assert (mark, more) == (Watermark(Position(1, 2), 0), True)

    assert sequencer.number().time > 0


@pytest.mark.postgres
@pytest.mark.parametrize("naive", [False, True], ids=["by position", "control: by order of insertion"])
def test_who_commits_late_is_not_missed(postgres_log: SqlLog, *, naive: bool) -> None:
    log, seen = postgres_log, set[str]()
    last = {"place": 0, "seq": 0}

    def read() -> None:
        Sequencer(log).number()
        events = log.tables.events.c
        column = events.place if naive else events.seq
        with read_connection(log.engine) as connection:
            for id_, place in connection.execute(select(events.id, column).where(column > last[column.name]).order_by(column)):
                seen.add(id_)
                last[column.name] = place

    with write_connection(log.engine) as slow:
        log.insert(slow, [Entry("slow", 1, event("slow"))])
        log.append("fast", [event("fast")], expected_version=0)
        read()
    read()

    assert ({"slow", "fast"} - seen) == ({"slow"} if naive else set())


@pytest.mark.postgres
def test_the_watermark_never_covers_an_open_transaction(postgres_log: SqlLog) -> None:
    log = postgres_log
    with write_connection(log.engine) as connection:
        log.insert(connection, [Entry("a", 1, event("1"))])
        before = Sequencer(log).number()
        committing = connection.execute(
            text("SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)")
        ).scalar_one()

    assert before.position == Position(1, 0)
    assert before.time <= committing
    assert Sequencer(log).number().position == Position(1, 1)


@pytest.mark.postgres
def test_the_watermark_never_covers_what_commits_during_the_pass(postgres_log: SqlLog) -> None:
    """Another writer commits between the look at the rows and the end of the pass: the clock was read before."""
    log, clocks = postgres_log, list[int]()

    def clock() -> int:
        with read_connection(log.engine) as connection:
            return int(connection.execute(CLOCK).scalar_one())

    def meanwhile(*executed: object) -> None:
        if "seq IS NULL" in str(executed[2]) and not clocks:
            clocks.append(clock())
            log.append("late", [event("late")], expected_version=0)
            while clock() <= clocks[0]:  # a clock read from here on would be later
                pass

    hooks.listen(log.engine, "after_cursor_execute", meanwhile)
    mark = Sequencer(log).number()

    assert mark.position == Position(1, 0)
    assert mark.time <= clocks[0]


def test_sequencers_at_once_give_each_number_once(log: SqlLog) -> None:
    log.append("a", [event(str(nth)) for nth in range(40)], expected_version=0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Sequencer(log, chunk=7).number(), range(4)))

    assert [each.position for each in everything(log)] == [Position(1, seq) for seq in range(1, 41)]


def test_running_it_numbers_what_is_written_until_stopped(log: SqlLog) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(Sequencer(log).run, stop)
        log.append("a", [event("1")], expected_version=0)
        found = log.read(wait=60)
        stop.set()
        running.result(timeout=30)

    assert ids(found.records) == ["1"]


class Once(threading.Event):
    """Stops at the second look, and keeps how long it was waited on."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        self.set()
        return True


def test_an_absent_database_is_waited_for(engine: Engine) -> None:
    log = SqlLog(engine, log_tables(MetaData()), name="test")

    class Absent(Sequencer):
        def number(self) -> Watermark:
            raise StoreUnavailable("gone")

    stop = Once()
    Absent(log).run(stop)

    assert len(stop.waits) == 1


def test_an_unexpected_error_ends_the_loop(engine: Engine) -> None:
    class Broken(Sequencer):
        def number(self) -> Watermark:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Broken(SqlLog(engine, log_tables(MetaData()), name="test")).run(threading.Event())


def test_the_link_covers_every_field(log: SqlLog) -> None:
    log.append("a", [event("1", subject="u", session="s", personal=b"p")], expected_version=0)
    Sequencer(log).number()
    (record,) = log.read().records
    of = record.event

    others = [
        replace(record, position=Position(1, 2)),
        replace(record, stream="b"),
        replace(record, version=2),
        *(
            replace(record, event=changed)
            for changed in (
                replace(of, id="2"),
                replace(of, type="t"),
                replace(of, time=of.time + 1),
                replace(of, subject="us", session=""),  # the same bytes in a row, cut elsewhere
                replace(of, session="t"),
                replace(of, data=b"{}"),
                replace(of, personal=b""),
            )
        ),
    ]

    assert len({link(GENESIS, each) for each in (record, *others)} | {link(b"x" * 32, record)}) == len(others) + 2

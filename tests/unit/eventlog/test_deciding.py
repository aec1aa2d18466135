from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from contract.event_log_contract import event, everything
from sqlalchemy import Connection

from eventlog.deciding import Committer
from eventlog.errors import Contention, DuplicateEvent, Overloaded, StoreUnavailable, UnknownOutcome, VersionConflict
from eventlog.port import Entry
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer


class Store:
    """Remembers the batches; a command named in `faults` makes its batch raise, so many times."""

    def __init__(self, faults: dict[str, tuple[Exception, int]] | None = None) -> None:
        self.batches: list[list[str]] = []
        self._faults = dict(faults or {})

    def commit(self, commands: Sequence[str]) -> Sequence[str | Exception]:
        self.batches.append(list(commands))
        for each in commands:
            error, times = self._faults.get(each, (None, 0))
            if error and times:
                self._faults[each] = (error, times - 1)
                raise error
        return [KeyError(each) if each == "refused" else each.upper() for each in commands]


def committer(store: Store, **limits: int) -> Committer[str, str]:
    return Committer(store.commit, name="test", **limits)


def outcome(future: Future[str]) -> str | type[BaseException]:
    error = future.exception(timeout=0)
    return type(error) if error else future.result(timeout=0)


def settle(store: Store, *commands: str) -> list[str | type[BaseException]]:
    made = committer(store)
    futures = [made.submit(each) for each in commands]
    made.step()
    return [outcome(each) for each in futures]


def test_all_that_wait_are_one_batch() -> None:
    store = Store()

    assert settle(store, "a", "b", "c") == ["A", "B", "C"]
    assert store.batches == [["a", "b", "c"]]


def test_a_batch_has_its_limit() -> None:
    store = Store()
    made = committer(store, max_batch=2)
    for each in "abc":
        made.submit(each)

    assert [made.step(), made.step(), made.step()] == [2, 1, 0]
    assert store.batches == [["a", "b"], ["c"]]


def test_a_refusal_reaches_only_its_caller() -> None:
    assert settle(Store(), "a", "refused", "b") == ["A", KeyError, "B"]


@pytest.mark.parametrize("error", [VersionConflict(), Contention(), DuplicateEvent(), ZeroDivisionError()])
def test_only_the_guilty_command_suffers(error: Exception) -> None:
    store = Store({"guilty": (error, 99)})

    assert settle(store, "a", "guilty", "b") == ["A", type(error), "B"]


@pytest.mark.parametrize("error", [VersionConflict(), Contention()])
@pytest.mark.parametrize(("times", "expected"), [(3, "GUILTY"), (4, None)])
def test_a_conflict_is_tried_three_times_alone(error: Exception, times: int, expected: str | None) -> None:
    store = Store({"guilty": (error, times)})

    assert settle(store, "a", "guilty") == ["A", expected or type(error)]
    assert Counter(len(each) for each in store.batches)[2] == 1
    assert store.batches.count(["guilty"]) == 3


def test_a_conflict_of_a_single_command_is_tried_three_times() -> None:
    store = Store({"guilty": (VersionConflict(), 99)})

    assert settle(store, "guilty") == [VersionConflict]
    assert store.batches == [["guilty"]] * 3


@pytest.mark.parametrize("error", [UnknownOutcome(), StoreUnavailable()])
def test_what_concerns_the_whole_batch_reaches_all_and_is_not_repeated(error: Exception) -> None:
    store = Store({"b": (error, 1)})

    assert settle(store, "a", "b") == [type(error)] * 2
    assert store.batches == [["a", "b"]]


def test_a_wrong_number_of_results_is_an_unknown_outcome() -> None:
    made: Committer[str, str] = Committer(lambda _: ["A"], name="test")
    futures = [made.submit("a"), made.submit("b")]
    made.step()

    assert [outcome(each) for each in futures] == [UnknownOutcome] * 2


def test_too_many_waiting_are_refused_and_the_others_served() -> None:
    made = committer(Store(), max_waiting=2)
    futures = [made.submit("a"), made.submit("b")]

    with pytest.raises(Overloaded):
        made.submit("c")
    made.step()

    assert [outcome(each) for each in futures] == ["A", "B"]


def test_who_gave_up_waiting_is_left_out() -> None:
    store = Store()
    made = committer(store)
    gone, here = made.submit("a"), made.submit("b")
    gone.cancel()
    made.step()

    assert outcome(here) == "B"
    assert store.batches == [["b"]]


def test_the_loop_survives_errors_and_leaves_nobody_waiting() -> None:
    made = committer(Store({"bad": (ZeroDivisionError(), 1)}))
    stop = threading.Event()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(made.run, stop)
        bad = made.submit("bad")
        assert isinstance(bad.exception(timeout=30), ZeroDivisionError)
        assert made.submit("good").result(timeout=30) == "GOOD"
        stop.set()
        running.result(timeout=30)

    assert outcome(made.submit("late")) == "LATE"  # a request that is still being drained


def test_closing_commits_what_waits() -> None:
    made = committer(Store(), max_batch=1)
    futures = [made.submit(each) for each in "abc"]
    made.close()

    assert [outcome(each) for each in futures] == ["A", "B", "C"]


def appender(log: SqlLog, meanwhile: Callable[[Connection], None]) -> Callable[[Sequence[str]], Sequence[int | Exception]]:
    """Decides commands `STREAM/ID` in turn: each appends one event to its stream."""

    def commit(commands: Sequence[str]) -> Sequence[int | Exception]:
        with write_connection(log.engine) as connection:
            split = [each.split("/") for each in commands]
            versions = log.versions(connection, [stream for stream, _ in split])
            meanwhile(connection)
            entries = []
            for stream, id_ in split:
                versions[stream] += 1
                entries.append(Entry(stream, versions[stream], event(id_)))
            log.insert(connection, entries)
        log.written()
        return [entry.version for entry in entries]

    return commit


def test_several_commands_of_one_stream_are_decided_in_turn(log: SqlLog) -> None:
    made = Committer(appender(log, lambda _: None), name="test")
    futures = [made.submit(each) for each in ("a/1", "b/2", "a/3")]
    made.step()

    assert [each.result(timeout=0) for each in futures] == [1, 1, 2]
    Sequencer(log).number()
    assert [(each.stream, each.version) for each in everything(log)] == [("a", 1), ("b", 1), ("a", 2)]


@pytest.mark.postgres
def test_a_stream_that_another_process_took_is_decided_again_alone(postgres_log: SqlLog) -> None:
    batches: list[int] = []

    def interfere(_: Connection) -> None:
        if not batches:
            postgres_log.append("a", [event("other")], expected_version=0)
        batches.append(1)

    made = Committer(appender(postgres_log, interfere), name="test")
    futures = [made.submit(each) for each in ("a/1", "b/2")]
    made.step()

    assert [each.result(timeout=0) for each in futures] == [2, 1]
    assert len(batches) == 3

"""One of several processes works, another takes over soon after it ends, died or lost the database."""

from __future__ import annotations

import threading

import pytest
from kit.waiting import until

from eventlog.errors import StoreUnavailable
from eventlog.leased import Leased
from eventlog.sql.leases import Leases
from eventlog.sql.log import SqlLog


def leases(log: SqlLog, holder: str, *, life_ms: int = 60_000) -> Leases:
    return Leases(log.engine, log.tables.leases, holder, life_ms=life_ms)


def test_one_of_two_has_it(log: SqlLog) -> None:
    one, other = leases(log, "one"), leases(log, "other")
    assert (one.take("relay"), other.take("relay"), one.take("relay")) == (True, False, True)
    assert (other.take("another thing"), one.count(""), one.count("rel")) == (True, 2, 1)


def test_it_is_free_when_it_is_given_back_and_only_its_holder_gives_it_back(log: SqlLog) -> None:
    one, other = leases(log, "one"), leases(log, "other")
    one.take("relay")
    other.give_back("relay")
    assert not other.take("relay")
    one.give_back("relay")
    assert other.take("relay")


def test_it_is_free_when_its_life_is_over(log: SqlLog) -> None:
    dead, next_one = leases(log, "dead", life_ms=1), leases(log, "next")
    dead.take("relay")
    until(lambda: next_one.take("relay"))
    assert not dead.take("relay")


def test_many_at_once_get_it_once(log: SqlLog) -> None:
    start, got = threading.Barrier(8), []

    def take(number: int) -> None:
        start.wait()
        got.append(leases(log, f"process {number}").take("relay"))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(got) == [False] * 7 + [True]


class Working:
    """A `Leased` loop that runs."""

    def __init__(self, found: Leases) -> None:
        self.working = threading.Event()
        self.ended = threading.Event()
        self.leased = Leased(found, "relay", self._work)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.leased.run, args=(self._stop,))
        self._thread.start()

    def _work(self, stop: threading.Event) -> None:
        self.working.set()
        stop.wait()
        self.ended.set()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def test_the_second_works_when_the_first_stops(log: SqlLog) -> None:
    first = Working(leases(log, "one", life_ms=400))
    assert first.working.wait(10)
    second = Working(leases(log, "other", life_ms=400))
    try:
        assert not second.working.wait(0.5)
        first.stop()
        assert first.ended.is_set()
        assert second.working.wait(10)
    finally:
        first.stop()
        second.stop()


def test_whoever_lost_it_ends_its_work(log: SqlLog) -> None:
    paused = Working(leases(log, "one", life_ms=200))
    assert paused.working.wait(10)
    try:
        with log.engine.begin() as connection:  # as if it had slept, and another had taken it meanwhile
            connection.execute(log.tables.leases.update().values(holder="other", until=2**60))
        assert paused.ended.wait(10)
        until(lambda: not paused.leased.holding)
    finally:
        paused.stop()


class Away(Leases):
    """The database answers once."""

    answered = False

    def take(self, name: str) -> bool:
        if self.answered:
            raise StoreUnavailable("away")
        self.answered = True
        return super().take(name)


def test_whoever_cannot_renew_it_ends_its_work(log: SqlLog) -> None:
    cut_off = Working(Away(log.engine, log.tables.leases, "one", life_ms=200))
    try:
        assert cut_off.working.wait(10)
        assert cut_off.ended.wait(10)
    finally:
        cut_off.stop()


def test_what_the_work_raises_is_raised(log: SqlLog) -> None:
    def break_down(_: threading.Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Leased(leases(log, "one"), "relay", break_down).run(threading.Event())
    assert leases(log, "other").take("relay")

"""Processes that live share the parts evenly; the parts of one that dies go to the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kit.waiting import until
from sqlalchemy import Engine, MetaData

from eventlog.sql.engine import create_tables
from eventlog.sql.leases import Leases
from eventlog.sql.tables import lease_table
from services.cluster.sharing import Sharing

PARTS = 4


class Process:
    """One that works on parts until it stops; `works` are those that it has now."""

    def __init__(self, leases: Callable[[str], Leases], holder: str) -> None:
        self.works: set[str] = set()
        self._stop = threading.Event()
        sharing = Sharing(leases(holder), holder, PARTS)
        loops = [sharing.loop.run, *(sharing.alone(f"part {n}", self._working(f"part {n}")) for n in range(PARTS))]
        self._threads = [threading.Thread(target=loop, args=(self._stop,)) for loop in loops]
        for each in self._threads:
            each.start()

    def _working(self, part: str) -> Callable[[threading.Event], None]:
        def work(stop: threading.Event) -> None:
            self.works.add(part)
            stop.wait()
            self.works.discard(part)

        return work

    def stop(self) -> None:
        self._stop.set()
        for each in self._threads:
            each.join()


@contextmanager
def processes(engine: Engine, *holders: str) -> Iterator[list[Process]]:
    metadata = MetaData()
    table = lease_table(metadata)
    create_tables(engine, metadata)
    made: list[Process] = []
    try:
        for holder in holders:
            made.append(Process(lambda name: Leases(engine, table, name, life_ms=1500), holder))
            first = made[0]
            until(lambda first=first: len(made) > 1 or len(first.works) == PARTS, timeout=60)  # type: ignore[misc]
        yield made
    finally:
        for each in made:
            each.stop()


def test_the_second_gets_half_and_the_last_one_all(sqlite_engine: Engine) -> None:
    with processes(sqlite_engine, "one", "other") as (one, other):
        until(lambda: (len(one.works), len(other.works)) == (2, 2), timeout=60)
        assert not one.works & other.works
        one.stop()
        until(lambda: len(other.works) == PARTS, timeout=60)

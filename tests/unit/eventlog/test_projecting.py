from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from contract.event_log_contract import event

from eventlog.errors import StoreUnavailable
from eventlog.memory import MemoryLog
from eventlog.port import START, Batch, Checkpoint
from eventlog.projecting import Lag, catch_up, run


class Names:
    """A projection of the ids in order, that calls `fault` before each batch."""

    def __init__(self, fault: Callable[[Batch], None] = lambda _: None) -> None:
        self.ids: list[str] = []
        self._fault = fault
        self._checkpoint = START

    def checkpoint(self) -> Checkpoint:
        return self._checkpoint

    def apply(self, batch: Batch) -> None:
        self._fault(batch)
        self.ids += [each.event.id for each in batch.records]
        self._checkpoint = batch.checkpoint


class Stop(threading.Event):
    """Never waits, so that a back-off costs no time."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


@pytest.fixture
def log() -> MemoryLog:
    made = MemoryLog()
    made.append("a", [event(str(nth)) for nth in range(5)], expected_version=0)
    return made


def follow(log: MemoryLog, projection: Names) -> tuple[list[Lag], Stop]:
    """Run until it has caught up."""
    reports: list[Lag] = []
    stop = Stop()

    def report(lag: Lag) -> None:
        reports.append(lag)
        if lag.caught_up:
            stop.set()

    run(log, projection, stop, report=report, limit=2)
    return reports, stop


def test_catching_up_applies_everything_once(log: MemoryLog) -> None:
    names = Names()

    assert catch_up(log, names, limit=2) == 5
    assert catch_up(log, names, limit=2) == 0
    assert names.ids == ["0", "1", "2", "3", "4"]


def test_it_reports_how_far_it_is(log: MemoryLog) -> None:
    reports, _ = follow(log, Names())

    assert reports == [
        Lag(Checkpoint("1.2"), caught_up=False),
        Lag(Checkpoint("1.4"), caught_up=False),
        Lag(Checkpoint("1.5"), caught_up=True),
    ]


def test_an_absent_store_is_tried_again_from_the_same_place(log: MemoryLog) -> None:
    faults = [StoreUnavailable("the disk is full")] * 3

    def fault(batch: Batch) -> None:
        if batch.records[0].version == 3 and faults:
            raise faults.pop()

    names = Names(fault)
    reports, stop = follow(log, names)

    assert names.ids == ["0", "1", "2", "3", "4"]
    assert [each.trouble for each in reports] == ["", *["waits: the disk is full"] * 3, "", ""]
    assert len(stop.waits) == 3


def test_what_cannot_be_applied_halts_it_and_is_not_skipped(log: MemoryLog) -> None:
    def fault(batch: Batch) -> None:
        if batch.records[0].version == 3:
            raise KeyError("hush-hush")

    names = Names(fault)
    reports: list[Lag] = []

    with pytest.raises(KeyError):
        run(log, names, Stop(), report=reports.append, limit=2)

    assert names.ids == ["0", "1"]
    assert reports[-1] == Lag(Checkpoint("1.2"), caught_up=False, trouble="halted after 1.2: KeyError")


def test_a_checkpoint_that_moves_without_records_is_kept() -> None:
    """A feed may have gone through much that concerns nobody."""

    class Quiet(MemoryLog):
        def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
            del after, limit, wait
            return Batch((), Checkpoint("far"))

    names = Names()

    follow(Quiet(), names)

    assert names.checkpoint() == "far"

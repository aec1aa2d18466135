from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from contract.event_log_contract import EventLogContract, Log
from sqlalchemy import Engine, MetaData

from eventlog.errors import VersionConflict
from eventlog.memory import MemoryLog
from eventlog.port import START, Batch, Checkpoint, Event, Recorded
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from eventlog.sql.tables import log_tables


class NumberedAtOnce(SqlLog):
    """A pass of the sequencer after every append; many run at once when many append."""

    def append(self, stream: str, events: Sequence[Event], *, expected_version: int) -> Sequence[Recorded]:
        written = super().append(stream, events, expected_version=expected_version)
        Sequencer(self, chunk=3).number()
        return written


class TestMemory(EventLogContract):
    @pytest.fixture
    def log(self) -> Log:
        return MemoryLog()


class TestSql(EventLogContract):
    @pytest.fixture
    def log(self, engine: Engine) -> Log:
        log = NumberedAtOnce(engine, log_tables(MetaData()), name="test")
        log.create()
        return log


class TrustsTheCaller(MemoryLog):
    def append(self, stream: str, events: Sequence[Event], *, expected_version: int) -> Sequence[Recorded]:
        del expected_version
        return super().append(stream, events, expected_version=len(self.read_stream(stream)))


class OnlyLooksBehind(MemoryLog):
    def append(self, stream: str, events: Sequence[Event], *, expected_version: int) -> Sequence[Recorded]:
        return super().append(stream, events, expected_version=min(expected_version, len(self.read_stream(stream))))


class WritesTheFirstHalf(MemoryLog):
    def append(self, stream: str, events: Sequence[Event], *, expected_version: int) -> Sequence[Recorded]:
        first = super().append(stream, events[:1], expected_version=expected_version)
        return [*first, *super().append(stream, events[1:], expected_version=expected_version + 1)]


class SkipsOne(MemoryLog):
    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        batch = super().read(after, limit=limit, wait=wait)
        return Batch(batch.records[:-1] if len(batch.records) > 1 else batch.records, batch.checkpoint)


SUITE = EventLogContract()


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (TrustsTheCaller, lambda log: SUITE.test_another_version_than_the_streams_is_a_conflict(log, 1)),
        (OnlyLooksBehind, lambda log: SUITE.test_another_version_than_the_streams_is_a_conflict(log, 3)),
        (OnlyLooksBehind, SUITE.test_a_stream_begins_at_zero),
        (WritesTheFirstHalf, SUITE.test_an_id_is_taken_once),
        (SkipsOne, SUITE.test_a_reader_sees_all_in_gapless_order_and_goes_on_where_it_stopped),
        (SkipsOne, SUITE.test_a_live_reader_misses_nothing_of_eight_writers),
    ],
)
def test_the_suite_finds_a_broken_log(broken: type[MemoryLog], test: Callable[[Log], None]) -> None:
    with pytest.raises((AssertionError, VersionConflict, pytest.fail.Exception)):
        test(broken())

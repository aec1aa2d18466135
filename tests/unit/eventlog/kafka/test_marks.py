from __future__ import annotations

from eventlog.kafka.marks import later, least
from eventlog.source_mark import SourceMark
from rescind.position import Position


def mark(seq: int, time: int, applied: int = 0, live_sessions: int = 0) -> SourceMark:
    return SourceMark(Position(1, seq), time, Position(1, applied), live_sessions)


def test_one_counts_when_all_partitions_have_one() -> None:
    assert least([mark(3, 30), None]) is None
    assert least([]) is None
    assert least([mark(3, 30, 1, 5), mark(4, 40, 2, 6)]) == mark(3, 30, 1, 5)


def test_no_part_of_it_is_newer_than_any_partitions() -> None:
    assert least([mark(3, 40, 2), mark(4, 30, 3)]) == mark(3, 30, 2)


def test_what_an_earlier_one_said_stays_true() -> None:
    assert later(None, mark(3, 30)) == mark(3, 30)
    assert later(mark(3, 30, 1, 5), mark(4, 0, 1, 6)) == mark(4, 30, 1, 6), "a time that is not known takes nothing away"
    assert later(mark(4, 40, 2, 6), mark(3, 30, 1, 5)) == mark(4, 40, 2, 6), "a relay that lags neither"

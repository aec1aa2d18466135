from __future__ import annotations

from dataclasses import replace

from eventlog.source_mark import SourceMark
from rescind.position import Position
from services.revocation.decisions.sources import Source, marked
from services.revocation.decisions.standing import Ages, Standing

STANDING = Standing(Position(1, 4), taken=500.0, now=100_000, complete=99_950, sources={"a": 99_000})
MARK = SourceMark(Position(1, 9), 90_000, Position(1, 3), 7)
SOURCE = Source(iss="a", own=True, time=80_000, position=Position(1, 8), applied=Position(1, 2), last_fact="f")


def test_ages_at_the_moment_of_reading() -> None:
    assert STANDING.ages(500.0) == Ages(50, {"a": 1_000})


def test_ages_grow_while_nothing_new_is_read() -> None:
    assert STANDING.ages(5_500.0) == Ages(5_050, {"a": 6_000})


def test_an_age_is_never_negative() -> None:
    assert replace(STANDING, complete=100_900).ages(500.0).own == 0
    assert STANDING.ages(0.0).own == 50


def test_a_watermark_is_taken() -> None:
    found = marked(SOURCE, MARK, now=90_010, max_skew=0, last_fact="g")
    assert (found.position, found.time, found.applied, found.live_sessions) == (Position(1, 9), 90_000, Position(1, 3), 7)
    assert found.last_fact == "g"
    assert marked(SOURCE, MARK, now=90_010, max_skew=0, last_fact="").last_fact == "f"


def test_a_watermark_from_the_future_is_not_believed() -> None:
    found = marked(SOURCE, MARK, now=87_999, max_skew=2_000, last_fact="")
    assert (found.time, found.ahead) == (80_000, True)
    assert not marked(SOURCE, MARK, now=88_000, max_skew=2_000, last_fact="").ahead


def test_a_time_never_goes_back_but_what_a_restored_source_has_applied_does() -> None:
    found = marked(SOURCE, replace(MARK, time=70_000, applied=Position(1, 1)), now=90_000, max_skew=0, last_fact="")
    assert (found.time, found.applied) == (80_000, Position(1, 1))

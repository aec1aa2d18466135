from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from kit.revocation_service import ISS, SAME_HOST, Issuer, opened
from sqlalchemy import Engine

from eventlog.port import Batch, Watermark
from eventlog.relay import OtherHistory, PositionConflict
from eventlog.sql.sequencer import Sequencer
from rescind.events.session import SessionRevoked
from rescind.position import BEGINNING, Position
from services.revocation.decisions.facts import UnreadableFact
from services.revocation.decisions.standing import Ages
from services.revocation.errors import NotYourSource
from services.revocation.intake import DirectSink
from services.revocation.service import Revocation


def ended(sn: int) -> SessionRevoked:
    return SessionRevoked(revocation_id=f"r{sn}", sid=f"sid{sn}", sn=sn, effect="end", reason="logout", by="user", answers=False)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    revocation: Revocation
    issuer: Issuer
    clock: Clock

    def number(self) -> None:
        Sequencer(self.revocation.log).number()

    def project(self) -> None:
        while self.revocation.projector.step():
            pass

    def ages(self) -> Ages:
        return self.revocation.serving().ages(self.clock.now)

    def listed(self) -> int:
        return len(self.revocation.projector.listed)


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    clock = Clock()
    with opened(engine, clock=clock) as revocation:
        yield World(revocation, Issuer(revocation), clock)


def test_facts_of_the_session_log_come_into_the_list(world: World) -> None:
    world.issuer.send(ended(1), ended(2))
    world.number()
    world.project()
    assert world.listed() == 2


def test_the_same_post_twice_is_the_same_as_once(world: World) -> None:
    post = world.issuer.says(ended(1), ended(2))
    assert world.revocation.intake.accept(post) == world.revocation.intake.accept(post)
    world.number()
    assert len(world.revocation.log.read_stream("revocation-r1")) == 1


def test_the_same_record_twice_in_one_post_is_one_fact(world: World) -> None:
    post = world.issuer.says(ended(1))
    world.revocation.intake.accept(replace(post, records=post.records * 2))
    assert len(world.revocation.log.read_stream("revocation-r1")) == 1


def test_a_post_that_begins_before_what_is_here_adds_only_what_is_new(world: World) -> None:
    first = world.issuer.says(ended(1))
    world.revocation.intake.accept(first)
    both = world.issuer.says(ended(2))
    world.revocation.intake.accept(replace(both, prev=BEGINNING, records=first.records + both.records))
    world.number()
    world.project()
    assert world.listed() == 2
    assert DirectSink(world.revocation.intake, ISS).position() == Position(1, 2)


def test_an_older_watermark_is_answered_with_where_we_are(world: World) -> None:
    early = world.issuer.says()
    world.issuer.send(ended(1))
    with pytest.raises(PositionConflict) as found:
        world.revocation.intake.accept(early)
    assert found.value.position == Position(1, 1)


def test_what_cannot_be_read_stops_the_source_and_is_named(world: World) -> None:
    post = world.issuer.says(ended(1))
    (record,) = post.records
    broken = replace(post, records=(replace(record, event=replace(record.event, type="session.revoked.v7")),))
    with pytest.raises(UnreadableFact):
        world.revocation.intake.accept(broken)
    assert DirectSink(world.revocation.intake, ISS).position() is None
    assert f"facts of {ISS}" in world.revocation.ready()
    world.revocation.intake.accept(post)
    assert f"facts of {ISS}" not in world.revocation.ready()


def test_only_its_own_client_speaks_for_a_source(world: World) -> None:
    post = world.issuer.says(ended(1))
    with pytest.raises(NotYourSource):
        world.revocation.intake.accept(post, client_id="another")
    with pytest.raises(NotYourSource):
        world.revocation.intake.accept(replace(post, iss="https://unknown.example"))
    world.revocation.sources.remove(ISS, by="test")
    with pytest.raises(NotYourSource):
        world.revocation.intake.accept(post, client_id="relay")


def test_a_watermark_counts_only_once_its_facts_are_in_the_list(world: World) -> None:
    world.issuer.send()
    world.number()
    world.project()
    assert world.ages().sources[ISS] < 60_000
    reached = world.revocation.projector.standing
    assert reached is not None
    world.clock.now += 1
    world.issuer.send(ended(1))  # committed, not numbered
    world.project()
    assert world.listed() == 0
    standing = world.revocation.projector.standing
    assert standing is not None
    assert standing.sources == reached.sources  # the new watermark would cover a fact that is not listed
    world.number()
    world.project()
    assert world.listed() == 1
    after = world.revocation.projector.standing
    assert after is not None
    assert after.sources[ISS] > reached.sources[ISS]


def test_under_steady_load_the_watermarks_still_count(world: World) -> None:
    world.issuer.send(ended(1))
    world.number()
    world.project()
    before = world.revocation.projector.standing
    for sn in range(2, 7):  # at every look there is a watermark whose facts are not numbered yet
        world.issuer.send(ended(sn))
        world.project()
        world.number()
        world.issuer.send(ended(sn + 100))
        world.project()
    after = world.revocation.projector.standing
    assert before is not None
    assert after is not None
    assert after.sources[ISS] > before.sources[ISS]


def test_a_fact_that_is_numbered_between_two_looks_is_waited_for_and_found(world: World) -> None:
    """Watermarks are read first, then the log: what gets its position in between must not be missed for good."""
    world.issuer.send()
    world.number()
    world.project()
    before = world.revocation.serving().sources[ISS]
    log = world.revocation.log
    read_marked = log.read_marked

    def number_then_read(after: Position, *, limit: int) -> tuple[Batch, Watermark]:
        Sequencer(log).number()
        return read_marked(after, limit=limit)

    log.read_marked = number_then_read  # type: ignore[method-assign]
    for sn in range(5):
        world.issuer.send(ended(sn))
        world.project()
        world.issuer.send(ended(sn + 100))  # there is always a fact without a position when the watermarks are read
    assert world.listed() >= 9
    assert world.revocation.serving().sources[ISS] > before


def test_a_stopped_sequencer_makes_every_age_grow(world: World) -> None:
    world.issuer.send()
    world.number()
    world.project()
    standing = world.revocation.projector.standing
    assert standing is not None
    watermark = world.revocation.log.watermark()
    assert standing.complete == watermark.time
    with_time = replace(standing, now=watermark.time + 11_000)  # as the database would say 11 s later
    assert with_time.ages(standing.taken).own == 11_000


def test_a_dead_projector_makes_every_age_grow(world: World) -> None:
    world.issuer.send()
    world.number()
    world.project()
    fresh = world.ages()
    world.clock.now += 11_000  # the web tier lives on; nobody projects
    stale = world.ages()
    assert stale.own >= fresh.own + 11_000
    assert stale.sources[ISS] >= fresh.sources[ISS] + 11_000
    assert {"numbering", f"source {ISS}"} <= world.revocation.ready().keys()


def test_a_clock_that_runs_ahead_is_not_believed(world: World) -> None:
    world.issuer.send()
    world.number()
    world.project()
    before = world.revocation.projector.standing
    post = world.issuer.says()
    world.revocation.intake.accept(
        replace(post, mark=replace(post.mark, time=post.mark.time + SAME_HOST.max_clock_skew_ms + 60_000))
    )
    world.project()
    after = world.revocation.projector.standing
    assert before is not None
    assert after is not None
    assert after.sources == before.sources


def test_a_removed_source_has_no_age_and_everything_of_it_has_ended(world: World) -> None:
    world.issuer.send(ended(1))
    world.revocation.sources.remove(ISS, by="test")
    world.number()
    world.project()
    assert world.ages().sources == {}
    assert world.listed() == 2


# a source whose log was put back


def test_a_post_on_another_history_is_refused_until_it_replaces_ours(world: World) -> None:
    intake = world.revocation.intake
    intake.accept(replace(world.issuer.says(ended(1), ended(2)), hash=b"old"))
    world.issuer.sent = world.issuer.head
    post = replace(world.issuer.says(ended(3)), prev_hash=b"new", hash=b"newer")
    with pytest.raises(OtherHistory) as found:
        intake.accept(post)
    assert found.value.position == Position(1, 2)
    again = replace(post, prev=Position(1, 1), prev_hash=b"", replaces=Position(1, 2))
    assert intake.accept(again) == Position(1, 3)
    assert intake.accept(replace(world.issuer.says(), prev=Position(1, 3), prev_hash=b"newer")) == Position(1, 3)
    assert world.revocation.log.head()[0].epoch == 1
    world.number()
    world.project()
    assert world.listed() == 3  # what the older history said stays


def test_a_replacement_may_lead_back_and_counts_once(world: World) -> None:
    intake = world.revocation.intake
    world.issuer.send(ended(1), ended(2), ended(3))
    back = replace(world.issuer.says(), prev=Position(1, 1), replaces=Position(1, 3))
    back = replace(back, mark=replace(back.mark, position=Position(1, 2), time=0))
    assert intake.accept(back) == Position(1, 2)
    with pytest.raises(PositionConflict) as found:  # it comes once more, late
        intake.accept(back)
    assert type(found.value) is PositionConflict
    assert found.value.position == Position(1, 2)


@pytest.mark.parametrize(("ours", "theirs"), [(b"", b"new"), (b"old", b""), (b"old", b"old")])
def test_control_what_is_not_known_or_the_same_is_taken(world: World, ours: bytes, theirs: bytes) -> None:
    intake = world.revocation.intake
    world.issuer.sent = intake.accept(replace(world.issuer.says(ended(1)), hash=ours))
    assert intake.accept(replace(world.issuer.says(ended(2)), prev_hash=theirs)) == Position(1, 2)

"""The second road: facts come by either, once; the watermark that says more counts, and only with the facts before it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from kit.revocation_service import ISS, SAME_HOST, Issuer, opened
from kit.waiting import until
from sqlalchemy import Engine

from eventlog.errors import StoreUnavailable
from eventlog.kafka.feed import MarkedBatch
from eventlog.port import START, Checkpoint, Recorded
from eventlog.relay import Post
from eventlog.source_mark import SourceMark
from eventlog.sql.sequencer import Sequencer
from rescind.events.session import SessionRevoked
from services.revocation.service import Revocation
from services.revocation.topic_road import TopicRoad


def ended(sn: int) -> SessionRevoked:
    return SessionRevoked(revocation_id=f"r{sn}", sid=f"sid{sn}", sn=sn, effect="end", reason="logout", by="user", answers=False)


@dataclass
class Topic:
    """Gives what was put in, and remembers from where it was read."""

    batches: list[MarkedBatch] = field(default_factory=list)
    trouble: Exception | None = None
    asked: list[Checkpoint] = field(default_factory=list)

    def put(self, records: Sequence[Recorded], mark: SourceMark | None) -> None:
        self.batches.append(MarkedBatch(tuple(records), Checkpoint(str(len(self.batches) + 1)), mark, ahead=False))

    def read_marked(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> MarkedBatch:  # noqa: ARG002
        self.asked.append(after)
        if self.trouble:
            raise self.trouble
        at = int(after or 0)
        return self.batches[at] if at < len(self.batches) else MarkedBatch((), after, None, ahead=False)

    def close(self) -> None:
        pass


@dataclass
class World:
    revocation: Revocation
    issuer: Issuer
    topic: Topic

    def road(self) -> TopicRoad:
        revocation = self.revocation
        return TopicRoad(revocation.log, revocation.tables, revocation.intake, lambda: self.topic, iss=ISS, max_skew=0)

    def follow(self) -> None:
        """Run the road until it has read all there is."""
        stop, road = threading.Event(), self.road()
        thread = threading.Thread(target=road.run, args=(stop,))
        thread.start()
        try:
            end = str(len(self.topic.batches))
            until(lambda: bool(self.topic.asked) and str(self.topic.asked[-1] or 0) == end)
        finally:
            stop.set()
            thread.join()

    def deliver(self, post: Post) -> None:
        """The same as a post, by the topic."""
        self.topic.put(post.records, post.mark)
        self.follow()

    def facts(self) -> list[str]:
        Sequencer(self.revocation.log).number()
        return [each.event.id for each in self.revocation.log.read().records if each.event.type == "revocation.made.v1"]

    def believed(self) -> int:
        """The source's time that the list vouches for."""
        while self.revocation.projector.step():
            pass
        return self.revocation.serving().sources[ISS]


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    with opened(engine, settings=SAME_HOST) as revocation:
        yield World(revocation, Issuer(revocation), Topic())


def test_facts_come_by_the_topic_alone(world: World) -> None:
    post = world.issuer.says(ended(1), ended(2))
    world.deliver(post)
    assert len(world.facts()) == 2
    assert world.believed() == post.mark.time


@pytest.mark.parametrize("express_first", [True, False])
def test_what_comes_by_both_roads_is_there_once(world: World, express_first: bool) -> None:
    post = world.issuer.says(ended(1), ended(2))
    roads = [world.revocation.intake.accept, world.deliver]
    for road in roads if express_first else reversed(roads):
        road(post)  # type: ignore[operator]
    assert len(world.facts()) == 2
    assert world.revocation.intake.position(ISS) == post.mark.position


def test_the_watermark_that_says_more_counts(world: World) -> None:
    older, newer = world.issuer.says(ended(1)), world.issuer.says()
    newer = replace(newer, mark=replace(newer.mark, time=older.mark.time + 1))
    world.revocation.intake.accept(older)
    world.deliver(newer)
    world.facts()
    assert world.believed() == newer.mark.time
    world.topic.put((), older.mark)
    world.follow()
    assert world.believed() == newer.mark.time


def test_a_watermark_waits_for_a_fact_that_the_other_road_brought_out_of_order(world: World) -> None:
    """The topic brought the second fact, and it has its number; the post brings the first, which has none yet."""
    post = world.issuer.says(ended(1), ended(2))
    world.topic.put(post.records[1:], None)
    world.follow()
    world.facts()
    world.revocation.intake.accept(post)
    assert world.believed() == 0
    assert len(world.facts()) == 2
    assert world.believed() == post.mark.time


def unknown_to_this_version(post: Post) -> Post:
    """What the source says, as an issuer of a newer version might say it."""
    (record,) = post.records
    return replace(post, records=(replace(record, event=replace(record.event, type="session.revoked.v9")),))


def test_an_event_that_it_does_not_know_stops_it_and_nothing_behind_it_is_vouched_for(world: World) -> None:
    """A newer issuer may revoke in a way that this version cannot read: to go on would be to skip it."""
    before = world.issuer.says(ended(1))
    world.deliver(before)
    world.facts()
    unread = unknown_to_this_version(world.issuer.says(ended(2)))
    world.topic.put(unread.records, replace(unread.mark, time=before.mark.time + 1))
    stop, road = threading.Event(), world.road()
    thread = threading.Thread(target=road.run, args=(stop,))
    thread.start()
    try:
        until(lambda: road.trouble == "halted: UnreadableFact")
    finally:
        stop.set()
        thread.join()
    assert world.believed() == before.mark.time
    assert "Update this service" in world.revocation.ready()[f"facts of {ISS}"]


def test_control_an_event_that_it_knows_does_not(world: World) -> None:
    before, after = world.issuer.says(ended(1)), world.issuer.says(ended(2))
    world.deliver(before)
    world.deliver(replace(after, mark=replace(after.mark, time=before.mark.time + 1)))
    world.facts()
    assert world.believed() == before.mark.time + 1


def test_it_goes_on_from_its_checkpoint_and_says_why_it_waits(world: World) -> None:
    world.deliver(world.issuer.says(ended(1)))
    world.topic.asked.clear()
    world.topic.trouble = StoreUnavailable("Kafka is away")
    stop, road = threading.Event(), world.road()
    thread = threading.Thread(target=road.run, args=(stop,))
    thread.start()
    try:
        until(lambda: road.trouble == "waits: Kafka is away")
        world.topic.trouble = None
        until(lambda: road.trouble == "")
    finally:
        stop.set()
        thread.join()
    assert set(world.topic.asked) == {Checkpoint("1")}

"""One log by two ways, with one checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from eventlog.errors import StoreUnavailable
from eventlog.port import START, Batch, Checkpoint, Event, EventFeed, Recorded
from eventlog.projecting import catch_up
from rescind.position import BEGINNING, Position
from services.roads.revocation_log import TwoWays
from services.roads.rows import follows


def log(*places: str) -> list[Recorded]:
    return [Recorded("s", 1, Event(id=place, type="t", time=0), Position.parse(place)) for place in places]


@dataclass
class Http:
    """A checkpoint is a position's text."""

    records: list[Recorded]
    away: bool = False
    asked: int = 0

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        del wait
        self.asked += 1
        if self.away:
            raise StoreUnavailable("it is away")
        position = Position.parse(after) if after else BEGINNING
        found = tuple(each for each in self.records if each.position and each.position > position)[:limit]
        return Batch(found, Checkpoint(str(found[-1].position)) if found else after)


@dataclass
class Topic:
    """A checkpoint is an offset, or a position's text; `resumed` says from which positions it was read."""

    records: list[Recorded]
    away: bool = False
    resumed: list[Position] = field(default_factory=list)

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        del wait
        if self.away:
            raise StoreUnavailable("the topic is away")
        offset = int(after.removeprefix("offset ")) if after.startswith("offset") else self._resume(Position.parse(after))
        found = tuple(self.records[offset : offset + limit])
        return Batch(found, Checkpoint(f"offset {offset + len(found)}"))

    def _resume(self, position: Position) -> int:
        self.resumed.append(position)
        return sum(1 for each in self.records if each.position and each.position <= position)


@dataclass
class Fold:
    """A projection that remembers ids."""

    ids: list[str] = field(default_factory=list)
    at: Checkpoint = START

    def checkpoint(self) -> Checkpoint:
        return self.at

    def apply(self, batch: Batch) -> None:
        self.ids += [each.event.id for each in batch.records]
        self.at = batch.checkpoint


@dataclass
class World:
    http: Http
    topic: Topic
    now: float = 0.0
    fold: Fold = field(default_factory=Fold)
    ways: EventFeed = field(init=False)

    def __post_init__(self) -> None:
        self.ways = TwoWays(self.http, self.topic, clock=lambda: self.now)

    def follow(self, *, limit: int = 2) -> list[str]:
        catch_up(self.ways, self.fold, limit=limit)
        return self.fold.ids

    def says(self, *places: str) -> None:
        self.http.records += log(*places)
        self.topic.records += log(*places)


@pytest.fixture
def world() -> World:
    return World(Http(log("1.1", "1.2", "1.3")), Topic(log("1.1", "1.2", "1.3")))


def test_while_the_first_answers_the_second_is_not_asked(world: World) -> None:
    world.topic.away = True
    assert world.follow() == ["1.1", "1.2", "1.3"]


def test_back_and_forth_nothing_is_lost_or_doubled(world: World) -> None:
    for turn in range(6):
        world.http.away = turn % 2 == 0
        world.says(f"1.{2 * turn + 4}", f"1.{2 * turn + 5}")
        world.follow()
        world.now += 10
    assert world.fold.ids == [f"1.{seq}" for seq in range(1, 16)]
    assert world.fold.at == "1.15"


def test_the_second_goes_on_where_it_was(world: World) -> None:
    world.http.away = True
    world.follow()
    world.http.away, world.now = False, 10.0
    world.says("1.4", "1.5")
    world.follow()
    world.http.away, world.now = True, 20.0
    world.says("1.6")
    assert world.follow()[-1] == "1.6"
    assert world.topic.resumed == [BEGINNING]


def test_after_a_failed_apply_the_second_begins_again(world: World) -> None:
    world.http.away = True
    world.ways.read(START)  # and its effect was not committed
    assert world.follow() == ["1.1", "1.2", "1.3"]
    assert world.topic.resumed == [BEGINNING, BEGINNING]


def test_a_silent_first_way_is_not_asked_each_time(world: World) -> None:
    world.http.away = True
    world.follow(limit=1)
    assert world.http.asked == 1
    world.now = 5.0
    world.follow()
    assert world.http.asked == 2


def test_a_gap_on_the_second_way_waits_for_the_first(world: World) -> None:
    world.http.away = True
    world.topic.records = log("1.1", "1.3")
    with pytest.raises(StoreUnavailable, match=r"lacks records after 0\.0, and on the first: it is away"):
        world.follow()
    assert world.fold.ids == []
    world.http.away, world.now = False, 5.0
    assert world.follow() == ["1.1", "1.2", "1.3"]


def test_control_the_second_alone_would_skip(world: World) -> None:
    world.topic.records = log("1.1", "1.3")
    batch = world.topic.read(Checkpoint("0.0"))
    assert [each.event.id for each in batch.records] == ["1.1", "1.3"]


def test_neither_way_is_trouble(world: World) -> None:
    world.http.away = world.topic.away = True
    with pytest.raises(StoreUnavailable, match="the topic is away"):
        world.follow()


def test_another_error_of_the_first_way_is_not_hidden(world: World) -> None:
    class Broken(Http):
        def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
            del after, limit, wait
            raise ZeroDivisionError

    ways = TwoWays(Broken([]), world.topic, clock=lambda: 0.0)
    with pytest.raises(ZeroDivisionError):
        ways.read(START)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("0.0", "1.1", True),
        ("1.1", "1.2", True),
        ("1.9", "2.1", True),
        ("1.9", "4.1", True),
        ("2.0", "2.1", True),
        ("0.0", "1.2", False),
        ("1.1", "1.1", False),
        ("1.2", "1.1", False),
        ("1.1", "1.3", False),
        ("1.9", "2.2", False),
        ("2.1", "1.2", False),
    ],
)
def test_what_follows_on_what(before: str, after: str, *, expected: bool) -> None:
    assert follows(Position.parse(before), Position.parse(after)) is expected

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import pytest

from rescind.frames import Decoder, Delta, Frame, Heartbeat, Snapshot
from rescind.position import Position
from rescind.revocations import RevocationList
from services.revocation.decisions.standing import Standing
from services.revocation.errors import Unsettled
from services.revocation.feed import Feed
from services.revocation.reader import Reader
from services.revocation.snapshots import Offered, Snapshots

BACKLOG = 2_000


def at(seq: int, epoch: int = 1) -> Position:
    return Position(epoch, seq)


@dataclass
class World:
    now: float = 0.0
    known: set[str] = field(default_factory=lambda: {"api"})

    def __post_init__(self) -> None:
        self.snapshots = Snapshots(life_ms=600_000, clock=lambda: self.now, wake=lambda: None)
        self.feed = Feed(self.snapshots, backlog=BACKLOG, knows=self.known.__contains__, clock=lambda: self.now)
        self.feed.restart(at(10))

    def delta(self, origin: int, position: int, *, size: int = 0) -> None:
        changes = ({"target": "session", "iss": "i" * size, "sn": position, "verdict": None},) if size else ()
        self.feed.publish(Delta(at(origin), at(position), changes, "m"))

    def offered(self, seq: int) -> Offered:
        listed = RevocationList(at(seq))
        return Offered(at(seq), listed.snapshot(), "m", 0)


async def written(reader: Reader) -> list[Frame]:
    await asyncio.sleep(0)  # deltas come through the loop
    reader.offer(b"")
    return Decoder().feed(await reader.next())


def run(test: Callable[[World], Coroutine[object, object, None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(test(World()), 10)

    asyncio.run(bounded())


def test_a_reader_goes_on_behind_its_position() -> None:
    async def test(world: World) -> None:
        world.delta(10, 12)
        world.delta(12, 13)
        reader = world.feed.open(at(12), "api", None)
        world.delta(13, 14)
        assert [frame.position for frame in await written(reader)] == [at(13), at(14)]

    run(test)


def test_a_reader_in_the_middle_of_a_delta_gets_all_of_it() -> None:
    async def test(world: World) -> None:
        world.delta(10, 15)
        (frame,) = await written(world.feed.open(at(12), "api", None))
        assert isinstance(frame, Delta)
        assert (frame.origin, frame.position) == (at(10), at(15))

    run(test)


def test_a_reader_without_a_position_gets_the_snapshot_and_what_followed() -> None:
    async def test(world: World) -> None:
        world.delta(10, 12)
        offered = world.offered(12)
        world.delta(12, 13)
        first, second = await written(world.feed.open(None, "api", offered))
        assert isinstance(first, Snapshot)
        assert (first.position, first.digest, second.position) == (at(12), offered.digest, at(13))

    run(test)


@pytest.mark.parametrize("after", [None, at(9), at(14), at(12, 2), at(12, 0)])
def test_a_reader_that_no_delta_leads_on_needs_a_snapshot(after: Position | None) -> None:
    async def test(world: World) -> None:
        world.delta(10, 13)
        assert not world.feed.resumes(after)
        with pytest.raises(Unsettled):
            world.feed.open(after, "api", None)

    run(test)


def test_a_new_epoch_ends_all_streams() -> None:
    async def test(world: World) -> None:
        reader = world.feed.open(at(10), "api", None)
        world.feed.restart(at(0, 2))
        await asyncio.sleep(0)
        assert await reader.next() == b""
        assert not world.feed.resumes(at(10))

    run(test)


def test_a_reader_that_falls_behind_is_cut_off_and_the_others_are_not() -> None:
    async def test(world: World) -> None:
        slow, quick = world.feed.open(at(10), "api", None), world.feed.open(at(10), "api", None)
        got = []
        for seq in range(11, 41):
            world.delta(seq - 1, seq, size=100)
            got += await written(quick)
        assert slow.cut_off
        assert await slow.next() == b""
        assert not quick.cut_off
        assert [frame.position.seq for frame in got if isinstance(frame, Delta)] == list(range(11, 41))

    run(test)


def test_a_reader_within_its_backlog_is_not_cut_off() -> None:
    async def test(world: World) -> None:
        reader = world.feed.open(at(10), "api", None)
        for seq in range(11, 16):
            world.delta(seq - 1, seq, size=100)
        assert len([frame for frame in await written(reader) if isinstance(frame, Delta)]) == 5
        assert not reader.cut_off

    run(test)


def test_a_cut_reader_lets_go_of_a_write_that_hangs() -> None:
    async def test(_: World) -> None:
        reader = Reader("api", at(10), backlog=10)
        hanging = asyncio.ensure_future(asyncio.sleep(3600))
        reader.writes(hanging)
        reader.offer(b"x" * 11)
        alone = reader.cut_off
        reader.offer(b"x")
        assert (alone, reader.cut_off) == (False, True)  # one large frame alone is nobody's fault
        await asyncio.wait([hanging])
        assert hanging.cancelled()

    run(test)


def test_a_heartbeat_says_the_ages_and_never_runs_ahead_of_the_deltas() -> None:
    async def test(world: World) -> None:
        world.feed.standing = Standing(at(13), taken=0.0, now=1_000, complete=1_000, sources={"i": 900})
        world.now = 50.0
        reader = world.feed.open(at(10), "api", None)
        world.feed.urge()
        await asyncio.sleep(0.01)
        frames = [frame for frame in await written(reader) if isinstance(frame, Heartbeat)]
        assert frames
        assert {frame.position for frame in frames} == {at(10)}
        assert frames[-1].ages == {"i": 150}
        assert any(frame.ack for frame in frames)

    run(test)


def test_the_stream_of_a_decommissioned_verifier_ends() -> None:
    async def test(world: World) -> None:
        reader = world.feed.open(at(10), "api", None)
        world.known.clear()
        world.feed.urge()
        await asyncio.sleep(0.01)
        assert await reader.next() == b""

    run(test)


def test_a_snapshot_is_made_when_asked_for_and_offered_until_too_much_followed() -> None:
    world = World()
    listed = RevocationList(at(12))
    with pytest.raises(Unsettled):
        world.snapshots.offer(timeout=0)
    world.snapshots.follow(listed, "m")  # somebody waits: made now
    assert world.snapshots.offer(timeout=0).position == at(12)
    listed.apply(at(13), [])
    world.snapshots.follow(listed, "m")
    assert world.snapshots.offer(timeout=0).position == at(12)
    listed.apply(at(10_000), [])
    world.snapshots.follow(listed, "m")
    with pytest.raises(Unsettled):
        world.snapshots.offer(timeout=0)


def test_a_snapshot_is_kept_for_its_life_after_it_was_last_offered() -> None:
    world = World()
    listed = RevocationList(at(12))
    for position in (at(12), at(10_000)):
        listed.apply(position, [])
        world.snapshots.follow(listed, "m")
        with pytest.raises(Unsettled):
            world.snapshots.offer(timeout=0)
        world.snapshots.follow(listed, "m")
        world.snapshots.offer(timeout=0)
    world.now = 600_000.0
    assert world.snapshots.get(at(12)) is not None
    world.now += 1
    world.snapshots.follow(listed, "m")
    assert world.snapshots.get(at(12)) is None
    assert world.snapshots.get(at(10_000)) is not None  # the latest stays


def test_nobody_asked_nothing_made() -> None:
    world = World()
    world.snapshots.follow(RevocationList(at(12)), "m")
    assert world.snapshots.oldest() is None

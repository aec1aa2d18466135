"""The follower's decisions, one step at a time, over a feed that is a script."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import pytest
from kit.feed_server import ISS, ended

from rescind.changes import encode_change
from rescind.errors import InvalidFeed
from rescind.feed import Ack, Answer, FeedUnavailable
from rescind.follower import Follower
from rescind.frames import Delta, Frame, Heartbeat, Snapshot, encode
from rescind.freshness import Freshness
from rescind.local_list import OutOfStep
from rescind.position import Position
from rescind.revocations import RevocationList
from rescind.verdicts import Change


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Script:
    """Each `open` plays the next list of frames and ends; each ack is answered with the next answer."""

    def __init__(self) -> None:
        self.connections: deque[Iterable[Frame]] = deque()
        self.answers: deque[Answer | Exception] = deque()
        self.snapshots: dict[str, bytes] = {}
        self.opened: list[tuple[str, str]] = []
        self.acks: list[Ack] = []

    def open(self, after: Position | None, mark: str) -> Script.Playing:
        self.opened.append((str(after), mark))
        if not self.connections:
            raise FeedUnavailable("nobody is there", retry_after=3.0)
        return Script.Playing(self.connections.popleft())

    def snapshot(self, url: str) -> bytes:
        return self.snapshots[url]

    def acknowledge(self, ack: Ack) -> Answer:
        self.acks.append(ack)
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass

    def snapshot_frame(self, position: Position, *changes: Change) -> Snapshot:
        listed = RevocationList(Position(position.epoch, 0))
        listed.apply(position, changes)
        url = f"/v1/snapshots/{position}"
        self.snapshots[url] = listed.snapshot()
        return Snapshot(url, position, listed.digest(), f"mark-{position}")

    class Playing:
        def __init__(self, frames: Iterable[Frame]) -> None:
            self._frames = iter(frames)

        def read(self) -> bytes:
            return next(map(encode, self._frames), b"")

        def interrupt(self) -> None:
            pass

        def close(self) -> None:
            pass


def delta(origin: str, position: str, *changes: Change, ack: bool = False) -> Delta:
    return Delta(Position.parse(origin), Position.parse(position), tuple(map(encode_change, changes)), f"mark-{position}", ack)


def heartbeat(position: str) -> Heartbeat:
    return Heartbeat(Position.parse(position), {ISS: 0})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def follower(script: Script, clock: Clock) -> Follower:
    return Follower(script, instance="v-1", freshness=Freshness(clock), jitter=lambda: 0.0)


def play(follower: Follower, script: Script, *frames: Frame) -> None:
    script.connections.append(frames)
    with pytest.raises(FeedUnavailable, match="ended"):
        follower.follow()


def test_a_connection_starts_with_a_snapshot_and_resumes_from_what_was_applied(follower: Follower, script: Script) -> None:
    play(follower, script, script.snapshot_frame(Position(1, 4)), delta("1.4", "1.5", ended(1)), heartbeat("1.5"))
    play(follower, script, delta("1.5", "1.6"))
    play(follower, script)
    assert script.opened == [("None", ""), ("1.5", "mark-1.5"), ("1.6", "mark-1.6")]


def test_it_is_fresh_only_after_an_acknowledgement(follower: Follower, script: Script, clock: Clock) -> None:
    play(follower, script, script.snapshot_frame(Position(1, 4)), heartbeat("1.4"))
    assert follower.freshness.age_ms(ISS) == math.inf
    script.answers.append(Answer(Position(1, 4), 0, {ISS: 30}))
    follower.acknowledge()
    clock.now += 5
    assert follower.freshness.age_ms(ISS) == 35


def test_nothing_is_acknowledged_before_there_is_a_list(follower: Follower, script: Script) -> None:
    follower.acknowledge()
    assert script.acks == []


def test_an_acknowledgement_says_what_was_reached_and_how_long_ago(follower: Follower, script: Script, clock: Clock) -> None:
    play(follower, script, script.snapshot_frame(Position(1, 4)))
    clock.now += 100
    play(follower, script, delta("1.4", "1.5"), delta("1.5", "1.7"))
    clock.now += 20
    script.answers.append(FeedUnavailable("lost"))
    with pytest.raises(FeedUnavailable):
        follower.acknowledge()
    clock.now += 1
    script.answers.append(Answer(Position(1, 7), 0, {}))
    follower.acknowledge()
    play(follower, script, delta("1.7", "1.8"))
    script.answers.append(Answer(Position(1, 8), 0, {}))
    follower.acknowledge()
    lost, again, last = script.acks
    assert lost == Ack("v-1", Position(1, 7), "mark-1.7", 10.0, "strict", ((4, 120), (5, 20), (7, 20)))
    assert again.applied == ((4, 121), (5, 21), (7, 21))
    assert (last.at, last.applied) == (Position(1, 8), ((8, 0),))


def test_after_a_gap_it_asks_for_what_is_missing(follower: Follower, script: Script) -> None:
    play(follower, script, script.snapshot_frame(Position(1, 4)))
    script.connections.append([delta("1.5", "1.6", ended(1))])
    with pytest.raises(OutOfStep):
        follower.follow()
    play(follower, script, delta("1.4", "1.6", ended(1)))
    assert [after for after, _ in script.opened] == ["None", "1.4", "1.4"]
    assert follower.local.position == Position(1, 6)


def test_after_nonsense_it_takes_a_snapshot(follower: Follower, script: Script) -> None:
    play(follower, script, script.snapshot_frame(Position(1, 4)))
    script.connections.append([replace(delta("1.4", "1.5"), changes=({"target": "planet"},))])
    with pytest.raises(InvalidFeed):
        follower.follow()
    script.connections.append([replace(script.snapshot_frame(Position(1, 5)), digest="0" * 64)])
    with pytest.raises(InvalidFeed):
        follower.follow()
    play(follower, script, script.snapshot_frame(Position(1, 6), ended(1)))
    play(follower, script)
    assert [after for after, _ in script.opened] == ["None", "1.4", "None", "None", "1.6"]


def test_a_feed_in_an_ended_epoch_is_left(follower: Follower, script: Script) -> None:
    play(follower, script, script.snapshot_frame(Position(2, 4)))
    for frame in (heartbeat("1.9"), delta("1.8", "1.9"), script.snapshot_frame(Position(1, 9))):
        script.connections.append([frame])
        with pytest.raises(OutOfStep):
            follower.follow()
    assert follower.local.position == Position(2, 4)


def test_a_lost_delta_behind_living_heartbeats_is_noticed(follower: Follower, script: Script) -> None:
    script.connections.append([script.snapshot_frame(Position(1, 4)), heartbeat("1.5"), heartbeat("1.5")])
    with pytest.raises(FeedUnavailable, match="without the deltas"):
        follower.follow()
    play(follower, script, heartbeat("1.5"), delta("1.4", "1.5"), heartbeat("1.6"), delta("1.5", "1.6"), heartbeat("1.7"))


def test_listeners_hear_of_deltas_and_of_snapshots(follower: Follower, script: Script) -> None:
    heard: list[bool] = []
    unsubscribe = follower.subscribe(heard.append)
    play(follower, script, script.snapshot_frame(Position(1, 4)), delta("1.4", "1.5", ended(1)), delta("1.4", "1.5", ended(1)))
    assert heard == [True, False]
    unsubscribe()
    play(follower, script, delta("1.5", "1.6", ended(2)))
    assert heard == [True, False]


def test_a_position_below_the_list_is_there_at_once(follower: Follower, script: Script) -> None:
    play(follower, script, script.snapshot_frame(Position(1, 4)))
    assert follower.wait_for(Position(1, 3), timeout=0)
    assert not follower.wait_for(Position(1, 5), timeout=0)


def test_all_who_wait_for_a_position_that_nobody_has_are_refused_by_one_question(follower: Follower, script: Script) -> None:
    play(follower, script, script.snapshot_frame(Position(1, 4)))
    script.answers.append(Answer(Position(1, 4), 0, {}))
    answers: list[bool] = []
    waiting = [threading.Thread(target=lambda: answers.append(follower.wait_for(Position(1, 9), timeout=30))) for _ in range(3)]
    with follower._moved:  # nobody can begin to wait between the question and its answer
        for thread in waiting:
            thread.start()
    while len(follower._moved._waiters) < len(waiting):  # type: ignore[attr-defined]
        threading.Event().wait(0.001)
    follower.acknowledge()
    for thread in waiting:
        thread.join(10)
    assert answers == [False] * 3
    assert len(script.acks) == 1


def test_a_wait_ends_when_the_position_is_applied(follower: Follower, script: Script) -> None:
    play(follower, script, script.snapshot_frame(Position(1, 4)), heartbeat("1.5"))
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(follower.wait_for(Position(1, 5), timeout=30)))
    thread.start()
    play(follower, script, delta("1.4", "1.5", ended(1)))
    thread.join(10)
    assert answers == [True]


def test_the_pause_backs_off_with_full_jitter_and_heeds_the_service(script: Script) -> None:
    longest = Follower(script, instance="v", max_staleness=10, jitter=lambda: 1.0)
    assert [longest._pause(failures, 0) for failures in (1, 2, 3, 9)] == [0.4, 0.8, 1.6, 5.0]
    assert Follower(script, instance="v", jitter=lambda: 0.0)._pause(9, 3.0) == 3.0


def test_a_fault_of_its_own_does_not_end_the_thread(script: Script, follower: Follower, caplog: pytest.LogCaptureFixture) -> None:
    failed = threading.Event()

    def stop_at_second(_resynced: bool) -> None:
        if len(script.opened) > 1:
            failed.set()
        raise RuntimeError("a listener's fault")

    follower.subscribe(stop_at_second)
    script.connections.extend([[script.snapshot_frame(Position(1, 4))], [delta("1.4", "1.5", ended(1))]])
    script.answers.extend([FeedUnavailable("not now")] * 50)
    with caplog.at_level(logging.CRITICAL, "rescind.follower"):
        follower.start()
        assert failed.wait(10)
        follower.close()

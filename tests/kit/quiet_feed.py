"""A feed and a clock in the test's hand, for verifiers whose list changes when the test says so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from rescind.changes import encode_change
from rescind.feed import Ack, Answer, FeedUnavailable, Stream
from rescind.follower import Follower
from rescind.frames import Delta, Snapshot
from rescind.freshness import Freshness
from rescind.position import Position
from rescind.revocations import Change, RevocationList

FIRST = Position(1, 1)


class Clock:
    """Milliseconds."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class QuietFeed:
    """A revocation service that never answers."""

    def open(self, after: Position | None, mark: str) -> Stream:
        del after, mark
        raise FeedUnavailable("nobody is there")

    def snapshot(self, url: str) -> bytes:
        del url
        raise FeedUnavailable("nobody is there")

    def acknowledge(self, ack: Ack) -> Answer:
        del ack
        raise FeedUnavailable("nobody is there")

    def close(self) -> None:
        pass


class ByHand:
    """Drives a follower that hears nothing of its own: its list, and how fresh it is."""

    def __init__(self, clock: Clock, follower: Follower | None = None) -> None:
        self.clock = clock
        self.follower = follower or Follower(QuietFeed(), instance="test", freshness=Freshness(clock))

    def load(self, *changes: Change, position: Position = FIRST) -> None:
        listed = RevocationList()
        listed.apply(position, changes)
        data = listed.snapshot()
        self.follower.local.load(Snapshot("/s", position, hashlib.sha256(data).hexdigest(), "m"), data)
        self.follower.freshness.applied(position)

    def apply(self, *changes: Change) -> Position:
        before = self.follower.local.position
        assert before is not None
        after = Position(before.epoch, before.seq + 1)
        self.follower.local.apply(Delta(before, after, tuple(map(encode_change, changes)), "m"))
        self.follower.freshness.applied(after)
        return after

    def ack(self, ages: Mapping[str, float], age_ms: float = 0) -> None:
        head = self.follower.local.position
        assert head is not None
        self.follower.freshness.acked(self.clock(), head, age_ms, ages)

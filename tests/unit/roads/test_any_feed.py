from __future__ import annotations

import pytest

from rescind.feed import Ack, Answer, FeedUnavailable, Stream
from rescind.position import Position
from services.roads.any_feed import AnyFeed

ACK = Ack(instance="i", at=Position(1, 1), mark="", max_staleness=10.0, policy="strict")


class _Line:
    def __init__(self, name: str) -> None:
        self.name = name

    def read(self) -> bytes:
        return self.name.encode()

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        pass


class _Replica:
    """Answers with its name while it is `up`."""

    def __init__(self, name: str) -> None:
        self.name, self.up, self.asked, self.closed = name, True, 0, False

    def open(self, after: Position | None, mark: str) -> Stream:
        del after, mark
        self._ask()
        return _Line(self.name)

    def snapshot(self, url: str) -> bytes:
        self._ask()
        return f"{self.name}{url}".encode()

    def acknowledge(self, ack: Ack) -> Answer:
        del ack
        self._ask()
        return Answer(Position(1, 1), 0.0, {self.name: 0.0})

    def close(self) -> None:
        self.closed = True

    def _ask(self) -> None:
        self.asked += 1
        if not self.up:
            raise FeedUnavailable(self.name)


def test_the_next_one_is_followed_and_stays() -> None:
    one, two = _Replica("one"), _Replica("two")
    feed = AnyFeed([one, two])
    assert feed.open(None, "").read() == b"one"
    one.up = False
    assert feed.open(None, "").read() == b"two"
    one.up = True
    asked = one.asked
    assert (feed.open(None, "").read(), feed.snapshot("/s")) == (b"two", b"two/s")
    assert one.asked == asked
    assert [*feed.acknowledge(ACK).ages] == ["one"], "who acknowledges goes by itself"


def test_a_snapshot_comes_from_the_one_that_named_it() -> None:
    one, two = _Replica("one"), _Replica("two")
    feed = AnyFeed([one, two])
    feed.open(None, "")
    one.up = False
    with pytest.raises(FeedUnavailable, match="one"):
        feed.snapshot("/s")
    assert two.asked == 0


def test_when_none_answers_the_last_one_says_why() -> None:
    replicas = [_Replica("one"), _Replica("two")]
    for each in replicas:
        each.up = False
    feed = AnyFeed(replicas)
    with pytest.raises(FeedUnavailable, match="two"):
        feed.acknowledge(ACK)
    replicas[0].up = True
    assert [*feed.acknowledge(ACK).ages] == ["one"]
    feed.close()
    assert all(each.closed for each in replicas)

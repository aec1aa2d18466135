"""The feed of several revocation processes: whichever answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rescind.feed import Ack, Answer, Feed, FeedUnavailable, Stream
from rescind.position import Position

T = TypeVar("T")


class AnyFeed:
    """A `Feed` of feeds: when one does not answer, the next one is asked, and stays. Acknowledgements count at any of them."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._reading = list(feeds)
        self._acknowledging = list(feeds)  # another thread's

    def open(self, after: Position | None, mark: str) -> Stream:
        """Follow one of them."""
        return _first(self._reading, lambda feed: feed.open(after, mark))

    def snapshot(self, url: str) -> bytes:
        """Of the one that is followed: the others have not made it."""
        return self._reading[0].snapshot(url)

    def acknowledge(self, ack: Ack) -> Answer:
        """Tell one of them."""
        return _first(self._acknowledging, lambda feed: feed.acknowledge(ack))

    def close(self) -> None:
        """Close them all."""
        for each in self._acknowledging:
            each.close()


def _first(feeds: list[Feed], ask: Callable[[Feed], T]) -> T:
    """The first answer; who gives none goes to the end."""
    for _ in feeds[1:]:
        try:
            return ask(feeds[0])
        except FeedUnavailable:
            feeds.append(feeds.pop(0))
    return ask(feeds[0])

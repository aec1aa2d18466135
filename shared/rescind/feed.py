"""What the follower asks of the revocation service: three calls. `rescind.http_feed` does them over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rescind.position import Position


class FeedUnavailable(Exception):
    """The service does not answer, or not now. The message says why, without credential; `retry_after` is in seconds."""

    def __init__(self, why: str, *, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Ack:
    """What a verifier says about itself: `POST /v1/feed/ack`.

    `applied` pairs the seq of each position reached since the last answered ack with the milliseconds since it was reached.
    `max_staleness` is in seconds, `policy` is `strict` or `best_effort`.
    """

    instance: str
    at: Position
    mark: str
    max_staleness: float
    policy: str
    applied: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The service's head, and how old what it knows is at that head, in milliseconds: of the list and of each issuer's log."""

    head: Position
    age_ms: float
    ages: Mapping[str, float]


class Stream(Protocol):
    """An open feed."""

    def read(self) -> bytes:
        """Wait for the next piece; empty at the end. FeedUnavailable after a silence that heartbeats should have filled."""
        ...

    def interrupt(self) -> None:
        """Make a waiting `read` return or raise FeedUnavailable; for another thread."""
        ...

    def close(self) -> None:
        """Hang up; for the thread that reads."""
        ...


class Feed(Protocol):
    """The service's side of the feed. Every call may raise FeedUnavailable, and ValueError for an answer that is none."""

    def open(self, after: Position | None, mark: str) -> Stream:
        """Follow from what was applied; from a snapshot where `after` is None."""
        ...

    def snapshot(self, url: str) -> bytes:
        """Fetch what a snapshot frame points to."""
        ...

    def acknowledge(self, ack: Ack) -> Answer:
        """Say where the verifier stands, and learn the head and the ages."""
        ...

    def close(self) -> None:
        """Give back what `acknowledge` keeps; called by the thread that acknowledges, when it ends."""
        ...

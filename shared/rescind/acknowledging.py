"""When a verifier acknowledges, and what it says: it has reached positions, each some milliseconds ago."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rescind.feed import Ack, Answer, Feed
from rescind.freshness import Freshness
from rescind.position import Position

_MOST_REACHED = 512


class Reached:
    """The positions reached since the last answered acknowledgement, for the receipts. Times in ms of the verifier's clock."""

    def __init__(self) -> None:
        self._at: list[tuple[Position, float]] = []
        self._lock = threading.Lock()

    def add(self, position: Position, now: float) -> None:
        """Note a position. Beyond a bound the oldest go: their facts then count as applied with a later one, never earlier."""
        with self._lock:
            self._at = [(known, at) for known, at in self._at if known.epoch == position.epoch][1 - _MOST_REACHED :]
            self._at.append((position, now))

    def held(self, upto: Position, now: float) -> tuple[tuple[int, int], ...]:
        """Pairs of seq and milliseconds since, up to a position."""
        with self._lock:
            return tuple((known.seq, max(0, round(now - at))) for known, at in self._at if known <= upto)

    def answered(self, position: Position) -> None:
        """Everything up to `position` has arrived at the service."""
        with self._lock:
            self._at = [(known, at) for known, at in self._at if known > position]


class Acknowledger:
    """Asks the service every quarter of `max_staleness` (seconds), and at once when somebody waits.

    `place` tells the position applied and its mark. `asked` counts the questions, `answered` is the last one that was answered.
    """

    def __init__(
        self,
        feed: Feed,
        freshness: Freshness,
        place: Callable[[], tuple[Position | None, str]],
        *,
        instance: str,
        policy: str,
        max_staleness: float,
    ) -> None:
        self.reached = Reached()
        self.asked = 0
        self.answered = 0
        self._feed = feed
        self._freshness = freshness
        self._place = place
        self._instance, self._policy, self._max_staleness = instance, policy, max_staleness
        self._wanted = threading.Event()

    def want(self) -> None:
        """Somebody waits: acknowledge at once."""
        self._wanted.set()

    def wait(self) -> None:
        """Wait until it is time to ask."""
        self._wanted.wait(self._max_staleness / 4)

    def ask(self) -> Answer | None:
        """Acknowledge once; None while nothing is applied yet. FeedUnavailable, ValueError."""
        self._wanted.clear()  # before the place is read: what is applied after this asks again
        position, mark = self._place()
        if position is None:
            return None
        number = self.asked = self.asked + 1
        asked_at = self._freshness.clock()
        applied = self.reached.held(position, asked_at)
        answer = self._feed.acknowledge(Ack(self._instance, position, mark, self._max_staleness, self._policy, applied))
        self._freshness.acked(asked_at, answer.head, answer.age_ms, answer.ages)
        self.reached.answered(position)
        self.answered = number
        return answer

"""The way back: the revocation log as a feed, over HTTP and from Kafka, with one checkpoint, which is a position."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from eventlog.errors import StoreUnavailable
from eventlog.port import START, Batch, Checkpoint, EventFeed, Recorded
from rescind.position import BEGINNING, Position
from services.roads.peer import Peer
from services.roads.refill import REVOCATIONS
from services.roads.rows import fetch_rows, follows

_LONGEST_WAIT_S = 10.0
_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class RevocationLogFeed:
    """`GET /v1/revocation-log` (scope log:replicate) as an EventFeed; NoAnswer."""

    peer: Peer

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        """See EventFeed. A checkpoint is a position's text."""
        rows = fetch_rows(self.peer, REVOCATIONS, _position(after), limit=limit, wait_s=min(wait, _LONGEST_WAIT_S))
        return Batch(rows, Checkpoint(str(rows[-1].position)) if rows else after)


class TwoWays:
    """An EventFeed over two that give the same log. The first is asked; while it does not answer, the second serves.

    The second's checkpoints are its own, but it takes a position's text, too (as KafkaFeed does). Its records count only where
    they follow on the checkpoint: what it lacks waits for the first. `clock` in seconds.
    """

    def __init__(
        self,
        first: EventFeed,
        second: EventFeed,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._second = second
        self._clock = clock
        self._silent_until = float("-inf")
        self._trouble = StoreUnavailable("the first way was not asked yet")
        self._second_at: tuple[Position, Checkpoint] | None = None

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        """See EventFeed. StoreUnavailable when neither way leads on."""
        if self._clock() >= self._silent_until:
            try:
                return self._first.read(after, limit=limit, wait=wait)
            except StoreUnavailable as trouble:  # a black hole takes seconds to be seen as one: do not ask it each time
                self._trouble, self._silent_until = trouble, self._clock() + _AGAIN_S
        return self._read_second(after, limit, wait)

    def _read_second(self, after: Checkpoint, limit: int, wait: float) -> Batch:
        position = _position(after)
        if self._second_at is None or self._second_at[0] > position:
            self._second_at = position, Checkpoint(str(position))
        while True:
            reached, checkpoint = self._second_at
            batch = self._second.read(checkpoint, limit=limit, wait=wait)
            places = [each.position or BEGINNING for each in batch.records]
            self._second_at = max([reached, *places]), batch.checkpoint
            news = tuple(each for each, place in zip(batch.records, places, strict=True) if place > position)
            if news:
                return self._follow_on(position, news)
            if not batch.records:
                return Batch((), after)

    def _follow_on(self, position: Position, news: tuple[Recorded, ...]) -> Batch:
        places = [position, *(each.position or BEGINNING for each in news)]
        if not all(follows(before, place) for before, place in pairwise(places)):
            self._second_at = None
            why = f"the second way lacks records after {position}, and on the first: {self._trouble}"
            raise StoreUnavailable(why)
        return Batch(news, Checkpoint(str(places[-1])))


def _position(checkpoint: Checkpoint) -> Position:
    return Position.parse(checkpoint) if checkpoint else BEGINNING

"""Keeps a verifier's list up to date: one thread follows the feed, one acknowledges (docs/protocol.md)."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rescind.acknowledging import Acknowledger
from rescind.errors import InvalidFeed
from rescind.feed import Feed, FeedUnavailable, Stream
from rescind.frames import Decoder, Delta, Frame, Snapshot
from rescind.freshness import Freshness
from rescind.local_list import LocalList, OutOfStep
from rescind.position import Position

logger = logging.getLogger(__name__)

Listener = Callable[[bool], None]
"""Called in the follower's thread after the list changed; True when a snapshot replaced it: changes may have been missed."""

_FIRST_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Following:
    """How the follower does, for metrics. `problem` is empty while the feed is followed and acknowledgements are answered."""

    position: Position | None
    head: Position | None
    connects: int
    snapshots: int
    deltas: int
    problem: str


class Follower:
    """Starts nothing until `start()`; that belongs in the process that serves, after any fork.

    Seconds: `max_staleness`, and `keep`, for which the list of an ended epoch counts (the longest access token life and leeway).
    `local` judges, `freshness` says how old it is: both are safe to read from any thread.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        instance: str,
        policy: str = "strict",
        max_staleness: float = 10.0,
        keep: float = 86_400.0,
        freshness: Freshness | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.freshness = freshness or Freshness()
        self._clock = self.freshness.clock
        self.local = LocalList(keep_ms=keep * 1000, clock=self._clock)
        self._acks = Acknowledger(
            feed, self.freshness, self._place, instance=instance, policy=policy, max_staleness=max_staleness
        )
        self._feed = feed
        self._jitter = jitter
        self._longest_pause = max_staleness / 2
        self._stop = threading.Event()
        self._moved = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._listeners: tuple[Listener, ...] = ()
        self._stream: Stream | None = None
        self._head: Position | None = None
        self._behind: Position | None = None
        self._from_scratch = False
        self._connects = self._snapshots = self._deltas = 0
        self._problems = {"feed": "the feed was not reached yet", "ack": ""}

    def start(self) -> None:
        """Begin to follow, in threads that do not keep the process alive. A second call does nothing."""
        if not self._threads:
            loops = {"rescind-feed": self._follow_on, "rescind-ack": self._acknowledge_on}
            self._threads = [threading.Thread(target=loop, name=name, daemon=True) for name, loop in loops.items()]
            for thread in self._threads:
                thread.start()

    def close(self) -> None:
        """Hang up. What was learnt stays, and ages."""
        self._stop.set()
        self._acks.want()
        stream = self._stream
        if stream is not None:
            stream.interrupt()
        for thread in self._threads:
            thread.join(1.0)  # a thread in the middle of a connect may take longer; it ends by itself
        with self._moved:
            self._moved.notify_all()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of every change of the list; returns what ends it. A listener must not block and not raise."""
        with self._moved:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._moved:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def wait_for(self, wanted: Position, timeout: float = 1.0) -> bool:
        """Wait until `wanted` is applied, `timeout` seconds at most. False at once if the service's own head is below it."""
        deadline = time.monotonic() + timeout
        with self._moved:
            asked = self._acks.asked
            if not self._reached(wanted) and (self._head is None or wanted > self._head):
                self._acks.want()
            while not self._reached(wanted):
                above = self._head is None or wanted > self._head
                if (above and self._acks.answered > asked) or self._stop.is_set():
                    return False
                if not self._moved.wait(deadline - time.monotonic()):
                    return self._reached(wanted)
        return True

    def following(self) -> Following:
        """Give the state for metrics."""
        problem = "; ".join(filter(None, self._problems.values()))
        return Following(self.local.position, self._head, self._connects, self._snapshots, self._deltas, problem)

    def follow(self) -> None:
        """Follow one connection to its end, which is always an error: FeedUnavailable, OutOfStep, InvalidFeed, InvalidFrame."""
        after = None if self._from_scratch else self.local.position
        stream = self._stream = self._feed.open(after, self.local.mark)
        try:
            self._connects += 1
            self._behind = None
            decoder = Decoder()
            while not self._stop.is_set() and (piece := stream.read()):
                for frame in decoder.feed(piece):
                    self._take(frame)
                self._problem("feed", "")
        finally:
            self._stream = None
            stream.close()
        raise FeedUnavailable("the feed ended")

    def acknowledge(self) -> None:
        """Ask once how fresh the list is. FeedUnavailable, ValueError."""
        answer = self._acks.ask()
        if answer is not None:
            self._saw(answer.head)
            self._problem("ack", "")

    def _take(self, frame: Frame) -> None:
        try:
            if isinstance(frame, Snapshot):
                self._load(frame)
            elif isinstance(frame, Delta):
                self._apply(frame)
            else:
                self._listen(frame.position)
        except InvalidFeed:
            self._from_scratch = True
            raise
        self._saw(frame.position)
        if not isinstance(frame, Snapshot) and frame.ack:
            self._acks.want()

    def _load(self, frame: Snapshot) -> None:
        self.local.load(frame, self._feed.snapshot(frame.url))
        self._from_scratch = False
        self._snapshots += 1
        self._stand(frame.position, resynced=True)
        self._acks.want()

    def _apply(self, frame: Delta) -> None:
        if self.local.apply(frame):
            self._deltas += 1
            self._stand(frame.position, resynced=False)

    def _listen(self, head: Position) -> None:
        """Two heartbeats in a row with a head that no delta led to: a delta was lost on the way."""
        self.local.forget()
        position = self.local.position
        if position is not None and head.epoch < position.epoch:
            raise OutOfStep("the feed is in an epoch that has ended")
        if position is None or head <= position:
            self._behind = None
        elif self._behind == position:
            raise FeedUnavailable("the feed went on without the deltas that lead to its head")
        else:
            self._behind = position

    def _stand(self, position: Position, *, resynced: bool) -> None:
        self.freshness.applied(position)
        self._acks.reached.add(position, self._clock())
        self._behind = None
        for listener in self._listeners:
            listener(resynced)

    def _saw(self, head: Position) -> None:
        with self._moved:
            self._head = head if self._head is None else max(self._head, head)
            self._moved.notify_all()

    def _reached(self, wanted: Position) -> bool:
        position = self.local.position
        return position is not None and position >= wanted

    def _place(self) -> tuple[Position | None, str]:
        return self.local.position, self.local.mark

    def _follow_on(self) -> None:
        self._repeat("feed", self.follow)

    def _acknowledge_on(self) -> None:
        self._repeat("ack", self.acknowledge, self._acks.wait)
        self._feed.close()

    def _repeat(self, name: str, step: Callable[[], None], rest: Callable[[], None] | None = None) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                step()
            except (FeedUnavailable, OutOfStep, ValueError) as error:
                failures = 1 if self._worked(name) else failures + 1
                self._problem(name, str(error))
                self._stop.wait(self._pause(failures, getattr(error, "retry_after", 0.0)))
            except Exception as error:  # a fault of our own must not end the thread: the verifier goes stale and says so
                failures += 1
                logger.exception("the verifier's %s loop failed", name)
                self._problem(name, f"an unexpected {type(error).__name__}")
                self._stop.wait(self._pause(failures, 0.0))
            else:
                failures = 0
                if rest is not None:
                    rest()

    def _worked(self, name: str) -> bool:
        return not self._problems[name]

    def _pause(self, failures: int, retry_after: float) -> float:
        """Back off with full jitter, so that a fleet does not come back in step; in seconds."""
        return retry_after + self._jitter() * min(self._longest_pause, _FIRST_PAUSE * 2.0 ** min(failures, 16))

    def _problem(self, name: str, why: str) -> None:
        if self._stop.is_set():
            return
        if why and not self._problems[name]:
            logger.warning("the %s is interrupted: %s", name, why)
        elif self._problems[name] and not why:
            logger.info("the %s works", name)
        self._problems[name] = why

"""The stream of deltas: written once by the projector, encoded once, handed to every open reader."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from rescind.frames import Delta, Heartbeat, encode
from rescind.position import BEGINNING, Position
from services.revocation.decisions.standing import Standing
from services.revocation.errors import Unsettled
from services.revocation.reader import Reader
from services.revocation.snapshots import Offered, Snapshots

_BEAT_S = 0.5
_KEPT_BYTES = 8 * 1024 * 1024


class _Kept:
    """A delta that readers may resume behind."""

    __slots__ = ("data", "origin", "position")

    def __init__(self, delta: Delta) -> None:
        self.origin = delta.origin
        self.position = delta.position
        self.data = encode(delta)


class Feed:
    """`publish` and `restart` are the projector's, from its thread; `open` belongs to the event loop.

    `backlog`: bytes that a reader may be behind. `knows`: whether a verifier of this name still exists. `clock`: ms.
    """

    def __init__(self, snapshots: Snapshots, *, backlog: int, knows: Callable[[str], bool], clock: Callable[[], float]) -> None:
        self._snapshots = snapshots
        self._backlog = backlog
        self._knows = knows
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: deque[_Kept] = deque()
        self._bytes = 0
        self._start = BEGINNING  # every delta behind it is kept
        self._head = BEGINNING
        self._readers: set[Reader] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._beating: asyncio.Task[None] | None = None
        self.standing: Standing | None = None

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    def publish(self, delta: Delta) -> None:
        """Hand a delta to all readers."""
        kept = _Kept(delta)
        oldest = self._snapshots.oldest()
        with self._lock:
            self._kept.append(kept)
            self._bytes += len(kept.data)
            self._head = kept.position
            while self._bytes > _KEPT_BYTES and (oldest is None or self._kept[0].position <= oldest):
                gone = self._kept.popleft()
                self._bytes -= len(gone.data)
                self._start = gone.position
        self._soon(lambda: self._deliver(kept))

    def restart(self, position: Position) -> None:
        """Begin anew at `position`: no delta leads there, so that every reader has to come again."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0
            self._start = self._head = position
        self._snapshots.restart()
        self._soon(self.end)

    def end(self) -> None:
        """End all streams."""
        for reader in tuple(self._readers):
            reader.end()

    def urge(self) -> None:
        """Ask every reader to acknowledge at once: somebody waits. From any thread."""
        self._soon(lambda: self._beat(ack=True))

    def resumes(self, after: Position | None) -> bool:
        """Whether a reader at `after` can go on by deltas alone."""
        with self._lock:
            return self._follows(after)

    def open(self, after: Position | None, verifier: str, offered: Offered | None) -> Reader:
        """Begin a stream behind `after`, or with the snapshot. Unsettled when neither leads to here any more: ask again."""
        self.loop = asyncio.get_running_loop()
        with self._lock:
            if self._follows(after):
                begin = after
            elif offered is not None and self._follows(offered.position):
                begin = offered.position
            else:
                raise Unsettled("the list has moved on")
            assert begin is not None  # noqa: S101  (None never follows)
            backlog = [each for each in self._kept if each.position > begin]
            reader = Reader(verifier, self._head, backlog=self._backlog + self._bytes)
        if begin != after and offered is not None:
            reader.offer(encode(offered.frame()))
        for each in backlog:
            reader.offer(each.data)
        self._readers.add(reader)
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat_on())
        return reader

    def close(self, reader: Reader) -> None:
        """The stream is over."""
        self._readers.discard(reader)

    def _follows(self, after: Position | None) -> bool:
        return after is not None and after.epoch == self._head.epoch and self._start <= after <= self._head

    def _deliver(self, kept: _Kept) -> None:
        for reader in tuple(self._readers):
            if kept.position > reader.position:  # else it was in the reader's backlog
                reader.position = kept.position
                reader.offer(kept.data)

    async def _beat_on(self) -> None:
        try:
            while self._readers:
                self._beat(ack=False)
                await asyncio.sleep(_BEAT_S)
        finally:
            self._beating = None

    def _beat(self, *, ack: bool) -> None:
        """Write a heartbeat to all, and end the streams of verifiers that were decommissioned."""
        standing = self.standing
        frames: dict[Position, bytes] = {}
        for reader in tuple(self._readers):
            if not self._knows(reader.verifier):
                reader.end()
            elif standing is not None:
                at = reader.position  # never ahead of the deltas that it was given
                if at not in frames:
                    frames[at] = encode(Heartbeat(at, standing.ages(self._clock()).sources, ack))
                reader.offer(frames[at])

    def _soon(self, call: Callable[[], None]) -> None:
        loop = self.loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and all streams with it
                loop.call_soon_threadsafe(call)

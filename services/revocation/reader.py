"""One open stream of the feed: what still has to be written to it, and its end. Belongs to the event loop."""

from __future__ import annotations

import asyncio
from collections import deque

from rescind.position import Position


class Reader:
    """Filled by the feed, emptied by the response. One that is more than `backlog` bytes behind at the next frame is cut off."""

    def __init__(self, verifier: str, position: Position, *, backlog: int) -> None:
        self.verifier = verifier
        self.position = position
        self.ended = False
        self.cut_off = False
        self._backlog = backlog
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._something = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    def offer(self, data: bytes) -> None:
        """Put a frame in the queue, or give up on the reader."""
        if self.ended:
            return
        if self._size > self._backlog:  # before this frame: one large frame alone is nobody's fault
            self.cut()
            return
        self._waiting.append(data)
        self._size += len(data)
        self._something.set()

    def end(self) -> None:
        """No more frames: what is queued is dropped, and the response ends as soon as its last write is done."""
        self.ended = True
        self._waiting.clear()
        self._something.set()

    def cut(self) -> None:
        """End at once, in the middle of a write if need be."""
        self.end()
        self.cut_off = True
        if self._writer is not None:
            self._writer.cancel()

    async def next(self) -> bytes:
        """All that waits, as one piece; empty at the end."""
        while not self._waiting and not self.ended:
            self._something.clear()
            await self._something.wait()
        piece = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        return piece

    def writes(self, writer: asyncio.Task[None] | None) -> None:
        """Name the task that is writing now, which `cut` cancels."""
        self._writer = writer

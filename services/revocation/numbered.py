"""Waiting until a fact that was just written has its position and is in the list."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from rescind.position import Position


class Numbered:
    """Between those who write facts and the projector. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Future[Position]]] = {}

    @contextmanager
    def expected(self, event_id: str) -> Iterator[Future[Position]]:
        """Begin to listen for a fact, before it is written."""
        future: Future[Position] = Future()
        with self._lock:
            self._waiting.setdefault(event_id, []).append(future)
        try:
            yield future
        finally:
            with self._lock:
                left = [each for each in self._waiting.get(event_id, ()) if each is not future]
                if left:
                    self._waiting[event_id] = left
                else:
                    self._waiting.pop(event_id, None)

    def saw(self, event_id: str, position: Position) -> None:
        """The fact is numbered, folded and published."""
        if not self._waiting:
            return
        with self._lock:
            for future in self._waiting.get(event_id, ()):
                if not future.done():
                    future.set_result(position)

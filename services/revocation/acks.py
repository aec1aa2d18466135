"""Acknowledgements on their way into the database: many at once, at most every 50 ms."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from eventlog.backoff import backoff
from eventlog.errors import EventLogError
from eventlog.signal import Signal
from rescind.position import Position

_PAUSE_S = 0.05
_MOST_REACHED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """What an instance said at `heard`, and when it had `reached` which positions: all by this process's clock (ms)."""

    verifier: str
    instance: str
    at: Position
    max_staleness: int  # ms
    policy: str
    heard: float
    reached: tuple[tuple[Position, float], ...]


class Acks:
    """`write` stores a batch; `written` wakes those who wait for a receipt. Safe to use from any thread."""

    def __init__(self, write: Callable[[Sequence[Ack]], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], Ack] = {}
        self._came = Signal()
        self.written = Signal()

    def put(self, ack: Ack) -> None:
        """Take an acknowledgement; one of the same instance that still waits is joined with it."""
        key = (ack.verifier, ack.instance)
        with self._lock:
            earlier = self._waiting.get(key)
            reached = (*earlier.reached, *ack.reached)[-_MOST_REACHED:] if earlier else ack.reached
            self._waiting[key] = replace(ack, reached=reached)
        self._came.give()

    def flush(self) -> None:
        """Store what waits. After an error all of it waits still. EventLogError."""
        with self._lock:
            batch = dict(self._waiting)
        if not batch:
            return
        self._write(tuple(batch.values()))
        with self._lock:
            for key, ack in batch.items():
                if self._waiting.get(key) is ack:
                    del self._waiting[key]
        self.written.give()

    def run(self, stop: threading.Event) -> None:
        """Store until stopped. While the database is away, what comes is joined and waits."""
        failures = 0
        while not stop.is_set():
            seen = self._came.count
            try:
                self.flush()
            except EventLogError:
                failures += 1
                stop.wait(backoff(failures))
            else:
                failures = 0
                stop.wait(_PAUSE_S)
                self._came.wait(seen, _PAUSE_S * 10)

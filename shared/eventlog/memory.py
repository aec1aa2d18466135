"""The log in memory: the readable specification of EventStore and EventFeed. It numbers at append."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from eventlog.chain import GENESIS, link
from eventlog.errors import DuplicateEvent, VersionConflict
from eventlog.port import START, Batch, Checkpoint, Event, Recorded
from eventlog.signal import Signal
from rescind.position import Position


class MemoryLog:
    """EventStore and EventFeed. A checkpoint is a position's text."""

    def __init__(self) -> None:
        self._records: list[Recorded] = []
        self._lock = Lock()
        self._written = Signal()

    def append(self, stream: str, events: Sequence[Event], *, expected_version: int) -> Sequence[Recorded]:
        """See EventStore."""
        with self._lock:
            known = {each.event.id for each in self._records}
            if expected_version != sum(each.stream == stream for each in self._records):
                raise VersionConflict("another writer was first")
            if len(known | {event.id for event in events}) != len(known) + len(events):
                raise DuplicateEvent("an event of this id is in the log already")
            for nth, event in enumerate(events, start=1):
                previous = self._records[-1].hash if self._records else GENESIS
                made = Recorded(stream, expected_version + nth, event, Position(1, len(self._records) + 1))
                self._records.append(replace(made, hash=link(previous, made)))
            added = self._records[len(self._records) - len(events) :]
        self._written.give()
        return added

    def read_stream(self, stream: str, *, after_version: int = 0) -> Sequence[Recorded]:
        """See EventStore."""
        with self._lock:
            return [each for each in self._records if each.stream == stream and each.version > after_version]

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        """See EventFeed."""
        done = Position.parse(after).seq if after else 0
        deadline = time.monotonic() + wait
        while True:
            seen = self._written.count
            with self._lock:
                found = tuple(self._records[done : done + limit])
            left = deadline - time.monotonic()
            if found or left <= 0:
                return Batch(found, Checkpoint(str(found[-1].position)) if found else after)
            self._written.wait(seen, left)

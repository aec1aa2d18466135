"""Tells another service what the log holds: in position order, from a durable cursor, always with a watermark."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from eventlog.backoff import backoff
from eventlog.errors import EventLogError
from eventlog.port import Checkpoint, Recorded
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from rescind.position import BEGINNING, Position

_PAUSE_S = 0.2  # a watermark leaves at least every 250 ms
_SAVE_S = 1.0  # the receiver's answer is the better cursor: ours may be this much older, and what is sent twice is dropped


@dataclass(frozen=True, slots=True)
class SourceMark:
    """Everything this source committed before `time` (ms, its database's clock; 0: not known) stands up to `position`.

    `applied`: up to where the source has applied the revocation log, its answers being among what it committed.
    `live_sessions`: how many sessions it has.
    """

    position: Position
    time: int
    applied: Position
    live_sessions: int


@dataclass(frozen=True, slots=True)
class Post:
    """What of interest stands after `prev` up to `mark.position` in the log of `iss`: maybe nothing."""

    iss: str
    prev: Position
    records: tuple[Recorded, ...]
    mark: SourceMark


class PositionConflict(EventLogError):
    """The receiver is not at the post's `prev` but at `position`."""

    def __init__(self, position: Position) -> None:
        super().__init__(f"the receiver is at {position}")
        self.position = position


class Sink(Protocol):
    """Where posts go."""

    def position(self) -> Position | None:
        """How far the receiver is in this source's log; None where that cannot be asked or it has nothing."""
        ...

    def send(self, post: Post) -> Position:
        """Hand a post over, durably, and return where the receiver is now; PositionConflict unless it is at `post.prev`."""
        ...


class Relay:
    """One sink's loop. Two at once are safe: the receiver refuses or ignores what it has.

    `on_restored` is called with the receiver's position when that is beyond our head, which means that our log was put back
    to an older state; it must raise the log's epoch above that position's before it returns.
    """

    def __init__(
        self,
        log: SqlLog,
        sink: Sink,
        *,
        iss: str,
        cursor_name: str,
        types: frozenset[str],
        applied: Callable[[], Position],
        live_sessions: Callable[[], int],
        on_restored: Callable[[Position], None],
        limit: int = 500,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._sink = sink
        self._iss = iss
        self._cursor_name = cursor_name
        self._types = types
        self._applied = applied
        self._live_sessions = live_sessions
        self._on_restored = on_restored
        self._limit = limit
        self._clock = clock
        self._cursor: Position | None = None
        self._sent = SourceMark(BEGINNING, 0, BEGINNING, 0)
        self._saved: Position | None = None
        self._saved_at = 0.0
        self.trouble = "not connected yet"

    def run(self, stop: threading.Event) -> None:
        """Send until stopped; `trouble` says why nothing moves, and is empty when all is well."""
        failures = 0
        while not stop.is_set():
            seen = self._log.numbered.count
            try:
                more = self.step()
            except Exception as error:  # noqa: BLE001  (a road never gives up; whatever it was, it goes on from its cursor)
                failures += 1
                self.trouble = f"{type(error).__name__}, {failures} times in a row"
                stop.wait(backoff(failures))
            else:
                failures, self.trouble = 0, ""
                if not more:
                    self._log.numbered.wait(seen, _PAUSE_S)

    def step(self) -> bool:
        """Send one post; whether there is more to send at once."""
        prev = self._cursor or self.agree()
        applied, live_sessions = self._applied(), self._live_sessions()  # before the records: never ahead of them
        batch, watermark = self._log.read_marked(prev, limit=self._limit)
        more = len(batch.records) == self._limit
        if more:  # not all that was committed before the watermark's time is in this post: the last time still holds
            mark = SourceMark(Position.parse(batch.checkpoint), self._sent.time, applied, live_sessions)
        else:
            mark = SourceMark(watermark.position, watermark.time, applied, live_sessions)
        records = tuple(each for each in batch.records if each.event.type in self._types)
        try:
            reached = self._sink.send(Post(self._iss, prev, records, mark))
        except PositionConflict as conflict:
            reached = conflict.position
        self._sent = mark if reached == mark.position else replace(mark, time=0)
        self._go_on_from(reached)
        return more and reached == mark.position

    def agree(self) -> Position:
        """Go on from where the receiver is, or from the cursor. Call it before new records get numbers after a restart.

        A cursor beyond the receiver is no reason to be silent: it only moves by the receiver's own answers, so that the post
        that follows shows the receiver that it was put back to an older state (and it refuses that post).
        """
        kept = self._log.cursor(None, self._cursor_name)
        position = max(self._sink.position() or BEGINNING, Position.parse(kept) if kept else BEGINNING)
        self._go_on_from(position)
        return position

    def _go_on_from(self, position: Position) -> None:
        if position > self._sent.position and position > self._log.head()[0]:
            self._on_restored(position)
        self._cursor = position
        if position != self._saved and self._clock() - self._saved_at >= _SAVE_S:
            with write_connection(self._log.engine) as connection:
                self._log.set_cursor(connection, self._cursor_name, Checkpoint(str(position)))
            self._saved, self._saved_at = position, self._clock()

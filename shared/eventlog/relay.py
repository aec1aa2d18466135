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
from eventlog.source_mark import SourceMark
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from rescind.position import BEGINNING, Position

_PAUSE_S = 0.2  # a watermark leaves at least every 250 ms
_SAVE_S = 1.0  # the receiver's answer is the better cursor: ours may be this much older, and what is sent twice is dropped


@dataclass(frozen=True, slots=True)
class Post:
    """What of interest stands after `prev` up to `mark.position` in the log of `iss`: maybe nothing.

    `prev_hash` and `hash`: the chain's hash at `prev` and at `mark.position`, empty where it is not known. `replaces`: the
    receiver's position, where that is of a history that is gone, because the log was put back to an older state.
    """

    iss: str
    prev: Position
    records: tuple[Recorded, ...]
    mark: SourceMark
    prev_hash: bytes = b""
    hash: bytes = b""
    replaces: Position | None = None


class PositionConflict(EventLogError):
    """The receiver is not at the post's `prev` but at `position`."""

    def __init__(self, position: Position) -> None:
        super().__init__(f"the receiver is at {position}")
        self.position = position


class OtherHistory(PositionConflict):
    """The receiver is at the post's `prev`, but what it had up to there is not what the sender has."""


class Sink(Protocol):
    """Where posts go."""

    def position(self) -> Position | None:
        """How far the receiver is in this source's log; None where that cannot be asked or it has nothing."""
        ...

    def send(self, post: Post) -> Position:
        """Hand a post over, durably, and return where the receiver is now.

        PositionConflict unless it is at `post.prev`, or at `post.replaces`; OtherHistory where it can tell, and there is no
        `post.replaces`.
        """
        ...


class Relay:
    """One sink's loop. Two at once are safe: the receiver refuses or ignores what it has.

    `carries` says of an event's type whether this road takes it.
    `on_restored` is called with the receiver's position when that is not in our log, or is there with other contents, which
    means that our log was put back to an older state; it must raise the log's epoch above that position's before it returns.
    What was written since is then sent from our own cursor on, which is as old as the log is: the receiver cannot have it.
    """

    def __init__(
        self,
        log: SqlLog,
        sink: Sink,
        *,
        iss: str,
        cursor_name: str,
        carries: Callable[[str], bool],
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
        self._carries = carries
        self._applied = applied
        self._live_sessions = live_sessions
        self._on_restored = on_restored
        self._limit = limit
        self._clock = clock
        self._cursor: Position | None = None
        self._replaces: Position | None = None
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
                why = str(error) if isinstance(error, EventLogError) else type(error).__name__  # others may quote secrets
                self.trouble = f"{why}, {failures} times in a row"
                stop.wait(backoff(failures))
            else:
                failures, self.trouble = 0, ""
                if not more:
                    self._log.numbered.wait(seen, _PAUSE_S)

    def step(self) -> bool:
        """Send one post; whether there is more to send at once."""
        prev = self._cursor or self.agree()
        post, more = self._next(prev)
        try:
            reached = self._sink.send(post)
        except PositionConflict as conflict:
            if conflict.position == post.replaces:
                raise  # it was told so, and insists: somebody has to look
            self._sent = replace(post.mark, time=0)
            self._go_on_from(conflict.position, ours=not isinstance(conflict, OtherHistory))
            return False
        self._sent = post.mark if reached == post.mark.position else replace(post.mark, time=0)
        self._go_on_from(reached)
        self._save(reached)
        return more and reached == post.mark.position

    def agree(self) -> Position:
        """Go on from where the receiver is, or from the cursor. Call it before new records get numbers after a restart.

        A cursor beyond the receiver is no reason to be silent: it only moves by the receiver's own answers, so that the post
        that follows shows the receiver that it was put back to an older state (and it refuses that post).
        """
        return self._go_on_from(max(self._sink.position() or BEGINNING, self._kept()))

    def _next(self, prev: Position) -> tuple[Post, bool]:
        applied, live_sessions = self._applied(), self._live_sessions()  # before the records: never ahead of them
        batch, watermark = self._log.read_marked(prev, limit=self._limit)
        more = len(batch.records) == self._limit
        if more:  # not all that was committed before the watermark's time is in this post: the last time still holds
            mark = SourceMark(Position.parse(batch.checkpoint), self._sent.time, applied, live_sessions)
        else:
            mark = SourceMark(watermark.position, watermark.time, applied, live_sessions)
        records = tuple(each for each in batch.records if self._carries(each.event.type))
        prev_hash, hash_ = (self._log.hash_at(each) or b"" for each in (prev, mark.position))
        return Post(self._iss, prev, records, mark, prev_hash, hash_, self._replaces), more

    def _go_on_from(self, position: Position, *, ours: bool = True) -> Position:
        known = position in (self._sent.position, BEGINNING) or self._log.hash_at(position) is not None
        self._cursor = None  # should this fail halfway, it is asked and decided again
        if ours and known:
            self._cursor, self._replaces = position, None
        else:
            self._on_restored(position)
            kept = self._kept()
            self._cursor, self._replaces = kept if kept <= position else BEGINNING, position  # else both were put back
        return self._cursor

    def _kept(self) -> Position:
        kept = self._log.cursor(None, self._cursor_name)
        return Position.parse(kept) if kept else BEGINNING

    def _save(self, position: Position) -> None:
        """Keep what the receiver has answered: up to there it has what stands in our log."""
        if position != self._saved and self._clock() - self._saved_at >= _SAVE_S:
            with write_connection(self._log.engine) as connection:
                self._log.set_cursor(connection, self._cursor_name, Checkpoint(str(position)))
            self._saved, self._saved_at = position, self._clock()

"""The second road: an issuer's events from its topic become the same facts, and its watermark counts where it says more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection

from eventlog.backoff import backoff
from eventlog.errors import Contention, DuplicateEvent, StoreUnavailable, UnknownOutcome, VersionConflict
from eventlog.port import START, Checkpoint, Recorded
from eventlog.source_mark import SourceMark
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from rescind.events.registry import may_touch_list
from rescind.events.revocation import Fact
from services.revocation.decisions.sources import marked_by_topic
from services.revocation.intake import Intake, entries, unknown
from services.revocation.sql.clock import database_now
from services.revocation.sql.source_store import lock_source, save_source
from services.revocation.sql.tables import RevocationTables

_WAIT_S = 0.5
_LIMIT = 500


class MarkedRecords(Protocol):
    """What a topic gives at once; `mark` holds when the records are applied. See `eventlog.kafka.feed.MarkedBatch`."""

    @property
    def records(self) -> tuple[Recorded, ...]: ...  # noqa: D102

    @property
    def checkpoint(self) -> Checkpoint: ...  # noqa: D102

    @property
    def mark(self) -> SourceMark | None: ...  # noqa: D102

    @property
    def ahead(self) -> bool: ...  # noqa: D102


class MarkedFeed(Protocol):
    """The topic of one source."""

    def read_marked(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> MarkedRecords:
        """Records after the checkpoint, and the watermark."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class TopicRoad:
    """Follows the topic of the source `iss`. `trouble` says why it does not go on, and is empty when all is well.

    Facts, watermark and checkpoint are written in one transaction. Two at once are safe: nothing is written twice.
    """

    def __init__(
        self, log: SqlLog, tables: RevocationTables, intake: Intake, open_: Callable[[], MarkedFeed], *, iss: str, max_skew: int
    ) -> None:
        self._log = log
        self._tables = tables
        self._intake = intake
        self._open = open_
        self._iss = iss
        self._max_skew = max_skew
        self._cursor = f"topic of {iss}"
        self.trouble = ""

    def run(self, stop: threading.Event) -> None:
        """Follow until stopped. What cannot be read halts it, visibly, and is tried again: nothing is ever skipped."""
        feed = self._open()
        failures = 0
        checkpoint = None
        try:
            while not stop.is_set():
                try:
                    checkpoint = self._step(feed, checkpoint)
                except Exception as error:  # noqa: BLE001  (it stays where it is, whatever it was)
                    failures += 1
                    known = isinstance(error, StoreUnavailable | UnknownOutcome)
                    self.trouble = f"waits: {error}" if known else f"halted: {type(error).__name__}"
                    checkpoint = None
                    stop.wait(backoff(failures))
                else:
                    failures, self.trouble = 0, ""
        finally:
            feed.close()
            self.trouble = ""

    def _step(self, feed: MarkedFeed, checkpoint: Checkpoint | None) -> Checkpoint:
        at = self._log.cursor(None, self._cursor) if checkpoint is None else checkpoint
        batch = feed.read_marked(at, limit=_LIMIT, wait=_WAIT_S)
        facts = self._intake.read(self._iss, [each for each in batch.records if may_touch_list(each.event.type)])
        try:
            with write_connection(self._log.engine) as connection:
                self._write(connection, facts, batch)
        except (VersionConflict, DuplicateEvent, Contention) as error:  # another writer was faster: look again
            raise StoreUnavailable("another writer was faster") from error
        if facts:
            self._log.written()
        return batch.checkpoint

    def _write(self, connection: Connection, facts: Sequence[tuple[Fact, str]], batch: MarkedRecords) -> None:
        source = lock_source(connection, self._tables.sources, self._iss)
        if source is None or not source.active:
            raise StoreUnavailable("its source was removed")
        now = database_now(connection)
        new = unknown(connection, self._tables, facts)
        self._log.insert(connection, entries(self._log, connection, new, arrived=now))
        mark = batch.mark or SourceMark(source.position, 0, source.applied, source.live_sessions)
        after = marked_by_topic(source, mark, now=now, max_skew=self._max_skew, last_fact=new[-1][1] if new else "")
        if after != source:
            save_source(connection, self._tables.sources, after)
        self._log.set_cursor(connection, self._cursor, batch.checkpoint)

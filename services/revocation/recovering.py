"""After a restore: what was said here since the backup, and only this log's topic still has, is written again.

The epoch rises whenever a restore is noticed. A cursor remembers for which epoch the topic was read; it is as old as the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from eventlog.backoff import backoff
from eventlog.errors import EventLogError
from eventlog.port import START, Batch, Checkpoint, Recorded
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from rescind.events.revocation import Fact, RevocationLifted, RevocationMade
from services.revocation.decisions.facts import fact_of
from services.revocation.intake import entries, unknown
from services.revocation.sql.clock import database_now
from services.revocation.sql.tables import RevocationTables

CURSOR = "recovered epoch"
_LOOK_S = 0.5
_WAIT_S = 1.0
_LIMIT = 500


class Topic(Protocol):
    """What of this log was published; a batch without records is its end."""

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        """See `eventlog.port.EventFeed`."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Recovering:
    """Safe to repeat: what is here already is not written again. `trouble`: why it waits; empty when all is well."""

    def __init__(self, log: SqlLog, tables: RevocationTables, open_: Callable[[], Topic]) -> None:
        self._log = log
        self._tables = tables
        self._open = open_
        self.trouble = ""

    def run(self, stop: threading.Event) -> None:
        """Look whether the epoch rose, until stopped; while the topic is away, again and again."""
        failures = 0
        while not stop.is_set():
            try:
                self.step()
            except EventLogError as error:
                failures += 1
                self.trouble = str(error)
                stop.wait(backoff(failures))
            else:
                failures, self.trouble = 0, ""
                stop.wait(_LOOK_S)
        self.trouble = ""

    def step(self) -> int:
        """How many facts were written again; 0 where the epoch is the one that it was. EventLogError: try again."""
        epoch = self._log.head()[0].epoch
        done = self._log.cursor(None, CURSOR)
        if done == str(epoch):
            return 0
        found = self._recover() if done or epoch > 1 else 0
        with write_connection(self._log.engine) as connection:
            self._log.set_cursor(connection, CURSOR, Checkpoint(str(epoch)))
        return found

    def _recover(self) -> int:
        topic, written, checkpoint = self._open(), 0, START
        try:
            while (batch := topic.read(checkpoint, limit=_LIMIT, wait=_WAIT_S)).records:
                written += self._write(batch.records)
                checkpoint = batch.checkpoint
        finally:
            topic.close()
        if written:
            self._log.written()
        return written

    def _write(self, records: Sequence[Recorded]) -> int:
        facts: list[tuple[Fact, str]] = [(fact_of(each), each.event.id) for each in records]
        said = [each for each in facts if isinstance(each[0], RevocationMade | RevocationLifted)]
        with write_connection(self._log.engine) as connection:
            new = unknown(connection, self._tables, said)
            arrived = database_now(connection)
            self._log.insert(connection, entries(self._log, connection, new, arrived=arrived))
        return len(new)

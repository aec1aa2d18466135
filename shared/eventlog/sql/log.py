"""The event log in SQL: the record of what happened, and the outbox of what is still to be told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, select, tuple_, update

from eventlog.chain import GENESIS
from eventlog.port import START, Batch, Checkpoint, Entry, Event, Recorded, Watermark
from eventlog.query import LogQuery
from eventlog.signal import Signal
from eventlog.sql import inserting
from eventlog.sql.engine import create_tables, lock, read_connection, write_connection
from eventlog.sql.rows import record_columns, records
from eventlog.sql.tables import LogTables
from rescind.position import BEGINNING, Position

_POLL_S = 0.05  # how late a reader notices what another process wrote


class SqlLog:
    """EventStore and EventFeed over one engine. Records have positions once a Sequencer has passed."""

    def __init__(self, engine: Engine, tables: LogTables, *, name: str) -> None:
        self.engine = engine
        self.tables = tables
        self.name = name
        self.unnumbered = Signal()
        self.numbered = Signal()

    def create(self) -> None:
        """Make all tables of the MetaData that are missing, and an empty log's head."""
        head = self.tables.head
        create_tables(self.engine, self.tables.events.metadata)
        with write_connection(self.engine) as connection:
            lock(connection, "schema")
            if connection.execute(select(head.c.one)).first() is None:
                connection.execute(head.insert().values(one=1, epoch=1, seq=0, hash=GENESIS, time=0))

    # writing

    def append(self, stream: str, events: Sequence[Event], *, expected_version: int) -> Sequence[Recorded]:
        """Append in a transaction of its own; positions come later. See EventStore."""
        entries = [Entry(stream, expected_version + nth, event) for nth, event in enumerate(events, start=1)]
        with write_connection(self.engine) as connection:
            self.insert(connection, entries)
        self.written()
        return [Recorded(entry.stream, entry.version, entry.event) for entry in entries]

    def insert(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Append in the caller's transaction; after its commit call `written`. See `inserting.insert`."""
        inserting.insert(connection, entries)

    def versions(self, connection: Connection, streams: Sequence[str]) -> dict[str, int]:
        """How far each stream is; 0 for an unknown one."""
        return inserting.versions(connection, streams)

    def written(self) -> None:
        """Say after a commit that there is something to number."""
        self.unnumbered.give()

    # reading

    def read_stream(self, stream: str, *, after_version: int = 0) -> Sequence[Recorded]:
        """A stream's records, numbered or not. See EventStore."""
        events = self.tables.events.c
        wanted = record_columns(self.tables).where(events.stream == stream, events.version > after_version)
        with read_connection(self.engine) as connection:
            return records(connection.execute(wanted.order_by(events.version)))

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        """Numbered records. A checkpoint is a position's text; ValueError for another. See EventFeed."""
        position = Position.parse(after) if after else BEGINNING
        deadline = time.monotonic() + wait
        while True:
            seen = self.numbered.count
            with read_connection(self.engine) as connection:
                found = records(connection.execute(self._after(position, limit)))
            left = deadline - time.monotonic()
            if found or left <= 0:
                return Batch(tuple(found), Checkpoint(str(found[-1].position)) if found else after)
            self.numbered.wait(seen, min(left, _POLL_S))

    def read_marked(self, after: Position, *, limit: int) -> tuple[Batch, Watermark]:
        """Records after a position and the watermark, from one snapshot."""
        with read_connection(self.engine) as connection:
            found = records(connection.execute(self._after(after, limit)))
            mark = _watermark(connection, self.tables)
        return Batch(tuple(found), Checkpoint(str(found[-1].position if found else after))), mark

    def search(self, query: LogQuery) -> Sequence[Recorded]:
        """What fits the query."""
        events = self.tables.events.c
        wanted = self._after(query.after, query.limit)
        for column, value in ((events.subject, query.subject), (events.session, query.session), (events.type, query.type)):
            if value:
                # `<> ''` lets the partial indexes serve
                wanted = wanted.where(column == value, column != "")
        if query.since is not None:
            wanted = wanted.where(events.time >= query.since)
        if query.until is not None:
            wanted = wanted.where(events.time < query.until)
        with read_connection(self.engine) as connection:
            return records(connection.execute(wanted))

    # the chain

    def watermark(self) -> Watermark:
        """Up to where and since when everything committed is numbered."""
        with read_connection(self.engine) as connection:
            return _watermark(connection, self.tables)

    def head(self) -> tuple[Position, bytes]:
        """The last position and the chain's hash there."""
        head = self.tables.head.c
        with read_connection(self.engine) as connection:
            epoch, seq, hash_ = connection.execute(select(head.epoch, head.seq, head.hash)).one()
        return Position(epoch, seq), hash_

    def hash_at(self, position: Position) -> bytes | None:
        """The chain's hash at a position of this log, None where it has none; `EPOCH.0` has the hash before its epoch."""
        events, head = self.tables.events.c, self.tables.head.c
        with read_connection(self.engine) as connection:
            if position.seq:
                at = (events.epoch == position.epoch) & (events.seq == position.seq)
                return connection.execute(select(events.hash).where(at)).scalar()
            if not 0 < position.epoch <= connection.execute(select(head.epoch)).scalar_one():
                return None
            before = select(events.hash).where(events.epoch < position.epoch)
            return connection.execute(before.order_by(events.epoch.desc(), events.seq.desc()).limit(1)).scalar() or GENESIS

    def raise_epoch(self, *, above: int = 0) -> Position:
        """Begin the next epoch, at least `above` + 1, after a restore; the chain goes on. Returns its `EPOCH.0`."""
        head = self.tables.head
        with write_connection(self.engine) as connection:
            lock(connection, "sequencer")
            epoch = max(connection.execute(select(head.c.epoch)).scalar_one(), above) + 1
            connection.execute(update(head).values(epoch=epoch, seq=0))
        self.numbered.give()
        return Position(epoch, 0)

    # cursors

    def cursor(self, connection: Connection | None, name: str) -> Checkpoint:
        """The checkpoint kept under a name; START where there is none."""
        cursors = self.tables.cursors.c
        wanted = select(cursors.checkpoint).where(cursors.name == name)
        if connection is not None:
            return Checkpoint(connection.execute(wanted).scalar() or START)
        with read_connection(self.engine) as own:
            return Checkpoint(own.execute(wanted).scalar() or START)

    def set_cursor(self, connection: Connection, name: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in the caller's transaction. A name has one writer."""
        cursors = self.tables.cursors
        done = connection.execute(update(cursors).where(cursors.c.name == name).values(checkpoint=checkpoint))
        if done.rowcount == 0:
            connection.execute(cursors.insert().values(name=name, checkpoint=checkpoint))

    def _after(self, position: Position, limit: int) -> Select[tuple[Any, ...]]:
        events = self.tables.events.c
        place = tuple_(events.epoch, events.seq)
        later = place > tuple_(position.epoch, position.seq)
        return record_columns(self.tables).where(later).order_by(events.epoch, events.seq).limit(limit)


def _watermark(connection: Connection, tables: LogTables) -> Watermark:
    head = tables.head.c
    epoch, seq, at = connection.execute(select(head.epoch, head.seq, head.time)).one()
    return Watermark(Position(epoch, seq), at)

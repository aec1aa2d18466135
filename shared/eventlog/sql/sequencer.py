"""Gives committed records their positions, so that a reader of positions never misses what committed late."""

from __future__ import annotations

import threading
from dataclasses import replace

from sqlalchemy import Connection, select, text, update

from eventlog.backoff import backoff
from eventlog.chain import link
from eventlog.errors import StoreUnavailable, UnknownOutcome
from eventlog.port import Watermark
from eventlog.sql.clock import database_now
from eventlog.sql.engine import lock, write_connection
from eventlog.sql.log import SqlLog
from eventlog.sql.rows import record_columns, records
from rescind.position import Position

_CHUNK = 1000
_PAUSE_S = 0.2

_POSTGRES = text("""
UPDATE events SET epoch = :epoch, seq = n.seq, hash = n.hash
FROM unnest(CAST(:places AS bigint[]), CAST(:seqs AS bigint[]), CAST(:hashes AS bytea[])) AS n (place, seq, hash)
WHERE events.place = n.place
""")
_SQLITE = text("UPDATE events SET epoch = :epoch, seq = :seq, hash = :hash WHERE place = :place")


class Sequencer:
    """One pass after another over the records that have no position yet. Any number of them may run."""

    def __init__(self, log: SqlLog, *, chunk: int = _CHUNK) -> None:
        self._log = log
        self._chunk = chunk

    def number(self) -> Watermark:
        """Number all that is committed, in order of insertion, one transaction per chunk."""
        while True:
            with write_connection(self._log.engine) as connection:
                lock(connection, "sequencer")
                mark, more, numbered = self._pass(connection)
            if numbered:
                self._log.numbered.give()
            if not more:
                return mark

    def run(self, stop: threading.Event) -> None:
        """Pass whenever something was written, and every 200 ms, until stopped."""
        failures = 0
        while not stop.is_set():
            seen = self._log.unnumbered.count
            try:
                self.number()
            except (StoreUnavailable, UnknownOutcome):  # nothing is lost: the next pass finds the same rows
                failures += 1
                stop.wait(backoff(failures))
            else:
                failures = 0
                self._log.unnumbered.wait(seen, _PAUSE_S)

    def _pass(self, connection: Connection) -> tuple[Watermark, bool, int]:
        # The clock first: what commits after this moment may be missed below, what committed before cannot.
        now = database_now(connection)
        head = self._log.tables.head
        events = self._log.tables.events.c
        epoch, seq, previous, time = connection.execute(select(head.c.epoch, head.c.seq, head.c.hash, head.c.time)).one()
        wanted = record_columns(self._log.tables).add_columns(events.place).where(events.seq.is_(None))
        rows = connection.execute(wanted.order_by(events.place).limit(self._chunk)).all()
        more = len(rows) == self._chunk
        links: list[tuple[int, int, bytes]] = []
        for (*_, place), recorded in zip(rows, records(row[:-1] for row in rows), strict=True):
            seq += 1
            previous = link(previous, replace(recorded, position=Position(epoch, seq)))
            links.append((place, seq, previous))
        _store(connection, epoch, links)
        time = time if more else now
        connection.execute(update(head).values(seq=seq, hash=previous, time=time))
        return Watermark(Position(epoch, seq), time), more, len(links)


def _store(connection: Connection, epoch: int, links: list[tuple[int, int, bytes]]) -> None:
    if not links:
        return
    places, seqs, hashes = (list(each) for each in zip(*links, strict=True))
    if connection.dialect.name == "postgresql":
        connection.execute(_POSTGRES, {"epoch": epoch, "places": places, "seqs": seqs, "hashes": hashes})
    else:
        connection.execute(
            _SQLITE,
            [{"epoch": epoch, "place": place, "seq": seq, "hash": hash_} for place, seq, hash_ in links],
        )

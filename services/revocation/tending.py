"""Housekeeping of the list: writes down, as facts, what may be forgotten. Called by the projector."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select

from eventlog.errors import DuplicateEvent, VersionConflict
from eventlog.sql.engine import read_connection, write_connection
from eventlog.sql.log import SqlLog
from rescind.events.revocation import HorizonMoved
from rescind.position import Position
from services.revocation.decisions.folding import Folded
from services.revocation.decisions.pruning import Applied, Memory
from services.revocation.decisions.sources import Source
from services.revocation.intake import entries
from services.revocation.sql.clock import database_now
from services.revocation.sql.tables import RevocationTables

_EVERY_MS = 10_000


class Tending:
    """`access_life_ms`: the longest life of an access token of ours, leeway and clock skew included."""

    def __init__(self, log: SqlLog, tables: RevocationTables, *, access_life_ms: int) -> None:
        self._log = log
        self._tables = tables
        self._access_life_ms = access_life_ms
        self._memory = Memory()
        self._looked = 0

    def __call__(self, state: Folded, sources: Sequence[Source], now: int) -> None:
        """Note what the sources have applied, and now and then move a horizon."""
        for each in sources:
            if each.own and each.active:
                self._memory.note(each.iss, Applied(each.time, each.applied))
        if now - self._looked < _EVERY_MS:
            return
        self._looked = now
        for each in sources:
            passed = self._passed(each, now)
            oldest = state.oldest(each.iss)
            if passed and oldest and oldest <= passed.position:
                self._write(each.iss, passed)

    def _passed(self, source: Source, now: int) -> Applied | None:
        if source.own:
            return self._memory.due(source.iss, now=source.time, life_ms=self._access_life_ms)
        arrived_by = now - source.max_session_life * 1000 - self._access_life_ms
        events = self._tables.log.events.c
        wanted = select(events.epoch, events.seq).where(events.time < arrived_by, events.seq.is_not(None))
        with read_connection(self._log.engine) as connection:
            row = connection.execute(wanted.order_by(events.epoch.desc(), events.seq.desc()).limit(1)).first()
        return Applied(-1, Position(row.epoch, row.seq)) if row else None

    def _write(self, iss: str, passed: Applied) -> None:
        fact = HorizonMoved(iss=iss, epoch=passed.position.epoch, seq=passed.position.seq, time=passed.time)
        event_id = hashlib.sha256(f"horizon {iss} {passed.position}".encode()).hexdigest()[:32]
        try:
            with write_connection(self._log.engine) as connection:
                arrived = database_now(connection)
                self._log.insert(connection, entries(self._log, connection, [(fact, event_id)], arrived=arrived))
        except (VersionConflict, DuplicateEvent):  # another replica says so, too
            return
        self._log.written()

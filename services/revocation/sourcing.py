"""Adding and removing the issuers whose tokens are judged: numbered facts, and the table that they stand in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from eventlog.sql.engine import lock, read_connection, write_connection
from eventlog.sql.log import SqlLog
from rescind.events.revocation import SourceAdded, SourceRemoved
from services.revocation.decisions.sources import Source
from services.revocation.errors import InvalidRevocation, NotFound
from services.revocation.intake import entries
from services.revocation.sql.clock import database_now
from services.revocation.sql.source_store import find_source, read_sources, save_source
from services.revocation.sql.tables import RevocationTables


class Sources:
    """Every method may raise EventLogError (answer: retry)."""

    def __init__(self, log: SqlLog, tables: RevocationTables, *, new_id: Callable[[], str]) -> None:
        self._log = log
        self._table = tables.sources
        self._new_id = new_id

    def add(self, wanted: Source, *, by: str) -> bool:
        """Add a source, or change what stands about it; False where it stands just so. InvalidRevocation.

        What came from its log before a removal is remembered: it goes on from there.
        """
        if wanted.own == bool(wanted.max_session_life):
            raise InvalidRevocation({"max_session_life": "needed, in seconds, for an issuer that is not our own; only there"})
        with write_connection(self._log.engine) as connection:
            lock(connection, "sources")
            known = find_source(connection, self._table, wanted.iss)
            source = replace(
                known or wanted,
                own=wanted.own,
                client_id=wanted.client_id,
                max_session_life=wanted.max_session_life,
                active=True,
            )
            if source == known:
                return False
            now = database_now(connection)
            fact = SourceAdded(
                iss=source.iss,
                own=source.own,
                client_id=source.client_id,
                max_session_life=source.max_session_life,
                by=by,
                at=now,
            )
            self._log.insert(connection, entries(self._log, connection, [(fact, self._new_id())], arrived=now))
            save_source(connection, self._table, source)
        self._log.written()
        return True

    def remove(self, iss: str, *, by: str) -> None:
        """End everything of this issuer. NotFound."""
        with write_connection(self._log.engine) as connection:
            lock(connection, "sources")
            known = find_source(connection, self._table, iss)
            if known is None or not known.active:
                raise NotFound("no such source")
            now = database_now(connection)
            fact = SourceRemoved(iss=iss, by=by, at=now)
            self._log.insert(connection, entries(self._log, connection, [(fact, self._new_id())], arrived=now))
            save_source(connection, self._table, replace(known, active=False))
        self._log.written()

    def active(self) -> Sequence[Source]:
        """Those that stand, by name."""
        with read_connection(self._log.engine) as connection:
            return [each for each in read_sources(connection, self._table) if each.active]

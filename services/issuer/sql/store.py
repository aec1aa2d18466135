"""The issuer's database: transactions that decide and write, and snapshots to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from eventlog.errors import Contention, VersionConflict
from eventlog.sql.engine import read_connection, write_connection
from eventlog.sql.log import SqlLog
from services.issuer.sql.tables import IssuerTables
from services.issuer.sql.unit import Unit
from services.issuer.vault import Vault

T = TypeVar("T")

_ATTEMPTS = 3


class Store:
    """Transactions over one engine."""

    def __init__(self, log: SqlLog, tables: IssuerTables, vault: Vault, new_id: Callable[[], str]) -> None:
        self.log = log
        self.tables = tables
        self.vault = vault
        self._new_id = new_id

    def once(self, work: Callable[[Unit], T]) -> T:
        """Run `work` and write what it recorded, in one transaction. VersionConflict, Contention: nothing is written."""
        with write_connection(self.log.engine) as connection:
            unit = Unit(connection, self.tables, self.vault, self._new_id)
            result = work(unit)
            self.log.insert(connection, unit.entries)
        if unit.entries:
            self.log.written()
        return result

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `once`, deciding again where another writer was first."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return self.once(work)
            except (VersionConflict, Contention):
                continue
        return self.once(work)

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """One snapshot; nothing may be written in it."""
        with read_connection(self.log.engine) as connection:
            yield Unit(connection, self.tables, self.vault, self._new_id)

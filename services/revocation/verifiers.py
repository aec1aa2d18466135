"""Who may follow the feed: verifiers with names and credentials of their own, checked here without the issuer."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Mapping

from sqlalchemy import delete, exc, select

from eventlog.backoff import backoff
from eventlog.errors import StoreUnavailable
from eventlog.sql.engine import read_connection, write_connection
from eventlog.sql.log import SqlLog
from services.revocation.errors import InvalidRevocation, NameTaken, NotFound
from services.revocation.sql.clock import database_now
from services.revocation.sql.tables import RevocationTables

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RELOAD_S = 1.0


class Verifiers:
    """The table, and a copy in memory that every request is checked against. Another process's change counts a second later."""

    def __init__(self, log: SqlLog, tables: RevocationTables) -> None:
        self._engine = log.engine
        self._table = tables.verifiers
        self._tables = tables
        self._by_credential: Mapping[str, str] = {}
        self._names: frozenset[str] = frozenset()

    def add(self, name: str) -> str:
        """Register a verifier and return its credential, which is shown this once. InvalidRevocation, NameTaken."""
        if not _NAME.fullmatch(name):
            raise InvalidRevocation(
                {"name": "1 to 64 letters, digits, dots, dashes and underscores; the first a letter or digit"}
            )
        credential = secrets.token_urlsafe(32)
        try:
            with write_connection(self._engine) as connection:
                now = database_now(connection)
                connection.execute(self._table.insert().values(name=name, credential=_hash(credential), created=now))
        except exc.IntegrityError:
            raise NameTaken(name) from None
        self.load()
        return credential

    def remove(self, name: str) -> None:
        """Decommission a verifier: its credential is worth nothing from now on, its streams end. NotFound."""
        with write_connection(self._engine) as connection:
            if connection.execute(delete(self._table).where(self._table.c.name == name)).rowcount == 0:
                raise NotFound(name)
            for table in (self._tables.instances, self._tables.acks):
                connection.execute(delete(table).where(table.c.verifier == name))
        self.load()

    def all(self) -> Mapping[str, int]:
        """Name -> when it was registered (ms)."""
        with read_connection(self._engine) as connection:
            rows = connection.execute(select(self._table.c.name, self._table.c.created).order_by(self._table.c.name))
            return {row.name: row.created for row in rows}

    def load(self) -> None:
        """Read the table."""
        with read_connection(self._engine) as connection:
            rows = connection.execute(select(self._table.c.credential, self._table.c.name)).all()
        self._by_credential = {row.credential: row.name for row in rows}
        self._names = frozenset(self._by_credential.values())

    def run(self, stop: threading.Event) -> None:
        """Keep the copy fresh until stopped."""
        failures = 0
        while not stop.is_set():
            try:
                self.load()
            except StoreUnavailable:
                failures += 1
                stop.wait(backoff(failures))
            else:
                failures = 0
                stop.wait(_RELOAD_S)

    def authenticate(self, credential: str) -> str | None:
        """Whose credential this is. Looked up by its hash: the time that takes says nothing about the credential."""
        return self._by_credential.get(_hash(credential))

    def knows(self, name: str) -> bool:
        """Whether a verifier of this name is registered."""
        return name in self._names


def _hash(credential: str) -> str:
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()  # 256 random bits need no slow hash

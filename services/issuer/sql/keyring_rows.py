"""Keys of subjects and days, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from services.issuer.vault import Vault


class KeyringRows:
    """The rows of one transaction; keys are unwrapped once in it."""

    def __init__(self, connection: Connection, table: Table, vault: Vault) -> None:
        self._connection = connection
        self._table = table
        self._vault = vault
        self._known: dict[str, bytes | None] = {}

    def find_all(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """The keys that exist."""
        missing = [name for name in names if name not in self._known]
        if missing:
            self._known.update(dict.fromkeys(missing))
            columns = self._table.c
            rows = self._connection.execute(select(columns.name, columns.wrapped).where(columns.name.in_(missing)))
            for name, wrapped in rows:
                self._known[name] = self._vault.unwrap(name, wrapped)
        return {name: key for name in names if (key := self._known[name]) is not None}

    def find(self, name: str) -> bytes | None:
        """One key; None when it never was or was deleted."""
        return self.find_all([name]).get(name)

    def made(self, name: str, now: int) -> bytes:
        """The key, made where it is missing; two who make it at once get the same one."""
        found = self.find(name)
        if found is not None:
            return found
        insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        row = {"name": name, "wrapped": self._vault.new_wrapped(name), "created": now}
        self._connection.execute(insert(self._table).values(row).on_conflict_do_nothing())
        del self._known[name]
        return self.find_all([name])[name]

    def drop(self, name: str) -> None:
        """Delete a key: whatever it sealed cannot be read any more."""
        self._connection.execute(delete(self._table).where(self._table.c.name == name))
        self._known[name] = None

    def drop_days(self, before: str) -> int:
        """Delete the day keys whose name sorts before `before`; how many there were."""
        name = self._table.c.name
        return self._connection.execute(delete(self._table).where(name.like("day-%"), name < before)).rowcount

"""Leases in the database: of several processes, one does a thing, and another goes on with it soon after it died.

A process that was paused may work beside its successor for a moment. Who holds a lease must be doing what is safe twice.
"""

from __future__ import annotations

from sqlalchemy import Engine, Table, delete, func, or_, select, update

from eventlog.sql.clock import database_now
from eventlog.sql.engine import lock, read_connection, write_connection

LIFE_MS = 2000


class Leases:
    """`holder` names this process and no other. Every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine, table: Table, holder: str, *, life_ms: int = LIFE_MS) -> None:
        self._engine = engine
        self._table = table
        self._holder = holder
        self.life_ms = life_ms

    def take(self, name: str) -> bool:
        """Take a lease that nobody has, or renew our own; whether it is ours now, for `life_ms`."""
        table = self._table.c
        with write_connection(self._engine) as connection:
            now = database_now(connection)
            free = or_(table.holder == self._holder, table.until <= now)
            wanted = {"holder": self._holder, "until": now + self.life_ms}
            if connection.execute(update(self._table).where(table.name == name, free).values(wanted)).rowcount:
                return True
            lock(connection, "leases")
            if connection.execute(select(table.name).where(table.name == name)).first():
                return False
            connection.execute(self._table.insert().values(name=name, **wanted))
            return True

    def give_back(self, name: str) -> None:
        """Let another process have it at once; nothing where it is not ours."""
        with write_connection(self._engine) as connection:
            connection.execute(delete(self._table).where(self._table.c.name == name, self._table.c.holder == self._holder))

    def count(self, prefix: str) -> int:
        """How many leases whose names begin so are held now, by anybody."""
        table = self._table.c
        with read_connection(self._engine) as connection:
            held = select(func.count()).where(
                table.name.startswith(prefix, autoescape=True), table.until > database_now(connection)
            )
            return connection.execute(held).scalar_one()

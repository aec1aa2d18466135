"""The database's clock: the one that all processes of a store share."""

from __future__ import annotations

from sqlalchemy import Connection, text

_NOW = {  # rounded down: a time must not cover what is committed after it was read
    "postgresql": text("SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)"),
    "sqlite": text("SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS integer)"),
}


def database_now(connection: Connection) -> int:
    """Milliseconds since the epoch."""
    now: int = connection.execute(_NOW[connection.dialect.name]).scalar_one()
    return now

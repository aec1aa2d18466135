"""The revocation database's clock, by which arrivals, acknowledgements and ages are measured."""

from __future__ import annotations

from sqlalchemy import Connection, text

_NOW = {
    "postgresql": text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"),
    "sqlite": text("SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS integer)"),
}


def database_now(connection: Connection) -> int:
    """Milliseconds since the epoch."""
    now: int = connection.execute(_NOW[connection.dialect.name]).scalar_one()
    return now

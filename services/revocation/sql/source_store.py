"""Rows of `sources`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select, update

from rescind.position import Position
from services.revocation.decisions.sources import Source


def read_sources(connection: Connection, table: Table) -> Sequence[Source]:
    """Every source there ever was, by name."""
    rows = connection.execute(select(table).order_by(table.c.iss)).mappings()
    return [_source(row) for row in rows]


def find_source(connection: Connection, table: Table, iss: str) -> Source | None:
    """One source, or None where there never was one of this name."""
    row = connection.execute(select(table).where(table.c.iss == iss)).mappings().first()
    return _source(row) if row else None


def lock_source(connection: Connection, table: Table, iss: str) -> Source | None:
    """The same, held until the transaction ends."""
    row = connection.execute(select(table).where(table.c.iss == iss).with_for_update()).mappings().first()
    return _source(row) if row else None


def save_source(connection: Connection, table: Table, source: Source) -> None:
    """Write a source, new or known."""
    row = _row(source)
    done = connection.execute(update(table).where(table.c.iss == source.iss).values(row))
    if done.rowcount == 0:
        connection.execute(table.insert().values(row))


def _source(row: RowMapping) -> Source:
    return Source(
        iss=row["iss"],
        own=row["own"],
        client_id=row["client_id"],
        max_session_life=row["max_session_life"],
        active=row["active"],
        position=Position(row["epoch"], row["seq"]),
        time=row["time"],
        applied=Position(row["applied_epoch"], row["applied_seq"]),
        live_sessions=row["live_sessions"],
        last_fact=row["last_fact"],
        ahead=row["ahead"],
        hash=row["hash"],
    )


def _row(source: Source) -> dict[str, Any]:
    return {
        "iss": source.iss,
        "own": source.own,
        "client_id": source.client_id,
        "max_session_life": source.max_session_life,
        "active": source.active,
        "epoch": source.position.epoch,
        "seq": source.position.seq,
        "time": source.time,
        "applied_epoch": source.applied.epoch,
        "applied_seq": source.applied.seq,
        "live_sessions": source.live_sessions,
        "last_fact": source.last_fact,
        "ahead": source.ahead,
        "hash": source.hash,
    }

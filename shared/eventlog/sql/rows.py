"""Rows of `events` as records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, select

from eventlog.port import Event, Recorded
from eventlog.sql.tables import LogTables
from rescind.position import Position

_COLUMNS = ("stream", "version", "id", "type", "time", "subject", "session", "data", "personal", "epoch", "seq", "hash")


def record_columns(tables: LogTables) -> Select[tuple[Any, ...]]:
    """The SELECT that `records` reads."""
    return select(*(tables.events.c[name] for name in _COLUMNS))


def records(rows: Iterable[Sequence[Any]]) -> Sequence[Recorded]:
    """One record a row."""
    return [
        Recorded(
            stream,
            version,
            Event(id=id_, type=type_, time=time, subject=subject, session=session, data=data, personal=personal),
            None if seq is None else Position(epoch, seq),
            hash_ or b"",
        )
        for stream, version, id_, type_, time, subject, session, data, personal, epoch, seq, hash_ in rows
    ]

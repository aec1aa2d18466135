"""The tables of a log. They join the caller's MetaData, beside its state tables."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint, text

_UNNUMBERED = text("seq IS NULL")


@dataclass(frozen=True, slots=True)
class LogTables:
    """`events`: append-only but for the sequencer's numbers; `head`: one row; `cursors`: a checkpoint per name.

    `leases`: which process does what only one should do.
    """

    events: Table
    head: Table
    cursors: Table
    leases: Table


def log_tables(metadata: MetaData) -> LogTables:
    """Describe the tables; `SqlLog.create` makes them."""
    return LogTables(_events(metadata), _head(metadata), _cursors(metadata), lease_table(metadata))


def lease_table(metadata: MetaData) -> Table:
    """For `eventlog.sql.leases`; `until` in milliseconds by the database's clock."""
    return Table(
        "leases",
        metadata,
        Column("name", Text, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("until", BigInteger, nullable=False),
    )


def _events(metadata: MetaData) -> Table:
    events = Table(
        "events",
        metadata,
        # Order of insertion. Transactions commit in another order, so only the sequencer may read by it.
        Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("id", Text, nullable=False),
        Column("stream", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("type", Text, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("subject", Text, nullable=False),
        Column("session", Text, nullable=False),
        Column("data", LargeBinary, nullable=False),
        Column("personal", LargeBinary, nullable=False),
        Column("epoch", Integer),
        Column("seq", BigInteger),
        Column("hash", LargeBinary),
        UniqueConstraint("stream", "version", name="events_stream_version"),
        UniqueConstraint("id", name="events_id"),
        UniqueConstraint("epoch", "seq", name="events_position"),
        sqlite_autoincrement=True,
    )
    Index("events_unnumbered", events.c.place, sqlite_where=_UNNUMBERED, postgresql_where=_UNNUMBERED)
    for name in ("subject", "session"):
        present = text(f"{name} <> ''")
        Index(f"events_{name}", events.c[name], sqlite_where=present, postgresql_where=present)
    Index("events_type", events.c.type)
    Index("events_time", events.c.time, postgresql_using="brin")  # times rise with the place: a few pages say where
    return events


def _head(metadata: MetaData) -> Table:
    return Table(
        "log_head",
        metadata,
        Column("one", Integer, primary_key=True, autoincrement=False),
        Column("epoch", Integer, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("time", BigInteger, nullable=False),
    )


def _cursors(metadata: MetaData) -> Table:
    return Table("cursors", metadata, Column("name", Text, primary_key=True), Column("checkpoint", Text, nullable=False))

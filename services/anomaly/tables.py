"""The anomaly service's own store: what the detector remembers, what it found, what it still has to ask for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

from eventlog.sql.tables import lease_table

_WAITING = text("outcome = 'waiting'")


@dataclass(frozen=True, slots=True)
class AnomalyTables:
    """Personal data stands here only as it came: sealed with its subject's key."""

    sessions: Table
    findings: Table
    outbox: Table
    cursors: Table
    leases: Table


def anomaly_tables(metadata: MetaData) -> AnomalyTables:
    """Describe the tables in `metadata`."""
    return AnomalyTables(_sessions(metadata), _findings(metadata), _outbox(metadata), _cursors(metadata), lease_table(metadata))


def _counter() -> Column[int]:
    """Counts up in the order of commits: the worker and the sender each write one transaction at a time."""
    return Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def _sessions(metadata: MetaData) -> Table:
    return Table(
        "sessions",
        metadata,
        Column("sid", Text, primary_key=True),
        Column("subject", Text, nullable=False, index=True),
        Column("version", BigInteger, nullable=False),
        Column("expires", BigInteger, nullable=False, index=True),
        Column("last_event", Text, nullable=False),  # empty: never seen with network and device
        Column("last_time", BigInteger, nullable=False),
        Column("last_sealed", LargeBinary, nullable=False),
    )


def _findings(metadata: MetaData) -> Table:
    return Table(
        "findings",
        metadata,
        _counter(),
        Column("id", Text, nullable=False, unique=True),
        Column("rule", Text, nullable=False),
        Column("subject", Text, nullable=False, index=True),
        Column("sid", Text, nullable=False, index=True),
        Column("sn", BigInteger, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("cause", Text, nullable=False),
        Column("action", Text, nullable=False),  # none, shadow, hold, end
        Column("revocation_id", Text, nullable=False),
        Column("now_event", Text, nullable=False),
        Column("now_sealed", LargeBinary, nullable=False),
        Column("before_event", Text, nullable=False),  # empty: the session was not seen before
        Column("before_time", BigInteger, nullable=False),
        Column("before_sealed", LargeBinary, nullable=False),
    )


def _outbox(metadata: MetaData) -> Table:
    outbox = Table(
        "outbox",
        metadata,
        _counter(),
        Column("finding_id", Text, nullable=False, unique=True),
        Column("sid", Text, nullable=False),
        Column("sn", BigInteger, nullable=False),
        Column("effect", Text, nullable=False),
        Column("note", Text, nullable=False),
        Column("outcome", Text, nullable=False),  # waiting, made, refused
        Column("refusal", Text, nullable=False),
    )
    Index("outbox_waiting", outbox.c.number, sqlite_where=_WAITING, postgresql_where=_WAITING)
    return outbox


def _cursors(metadata: MetaData) -> Table:
    return Table("cursors", metadata, Column("name", Text, primary_key=True), Column("checkpoint", Text, nullable=False))

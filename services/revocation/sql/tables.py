"""The revocation service's tables: its fact log, and what is written beside it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from eventlog.sql.tables import LogTables, log_tables


@dataclass(frozen=True, slots=True)
class RevocationTables:
    """The log's tables, and five more.

    `sources`: whose tokens are judged and how far their logs are here; `verifiers`: who may follow the feed; `instances`: their
    processes, as last heard; `acks`: when each reached which position; `automated`: for the caps.
    """

    log: LogTables
    sources: Table
    verifiers: Table
    instances: Table
    acks: Table
    automated: Table


def revocation_tables() -> RevocationTables:
    """Describe them, in a MetaData of their own."""
    metadata = MetaData()
    return RevocationTables(
        log_tables(metadata),
        _sources(metadata),
        Table(
            "verifiers",
            metadata,
            Column("name", Text, primary_key=True),
            Column("credential", Text, nullable=False),  # SHA-256 of 256 random bits, hex
            Column("created", BigInteger, nullable=False),
        ),
        _instances(metadata),
        _acks(metadata),
        Table(
            "automated",
            metadata,
            Column("id", Text, primary_key=True),
            Column("at", BigInteger, nullable=False, index=True),
            Column("weight", BigInteger, nullable=False),  # sessions
        ),
    )


def _sources(metadata: MetaData) -> Table:
    return Table(
        "sources",
        metadata,
        Column("iss", Text, primary_key=True),
        Column("own", Boolean, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("max_session_life", Integer, nullable=False),
        Column("active", Boolean, nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("applied_epoch", Integer, nullable=False),
        Column("applied_seq", BigInteger, nullable=False),
        Column("live_sessions", BigInteger, nullable=False),
        Column("last_fact", Text, nullable=False),
        Column("ahead", Boolean, nullable=False),
        Column("hash", LargeBinary, nullable=False),
    )


def _instances(metadata: MetaData) -> Table:
    return Table(
        "instances",
        metadata,
        Column("verifier", Text, primary_key=True),
        Column("instance", Text, primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("since", BigInteger, nullable=False),
        Column("heard", BigInteger, nullable=False, index=True),
        Column("max_staleness", BigInteger, nullable=False),  # ms
        Column("policy", Text, nullable=False),
    )


def _acks(metadata: MetaData) -> Table:
    table = Table(
        "acks",
        metadata,
        Column("verifier", Text, primary_key=True),
        Column("instance", Text, primary_key=True),
        Column("epoch", Integer, primary_key=True, autoincrement=False),
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("applied", BigInteger, nullable=False),  # ms, the database's clock
    )
    Index("acks_applied", table.c.applied)
    return table

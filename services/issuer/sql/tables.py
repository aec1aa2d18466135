"""The issuer's state tables. They are written in the same transaction as the events beside them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

from eventlog.sql.tables import LogTables, log_tables

_OPEN = text("closed_at = 0")


@dataclass(frozen=True, slots=True)
class IssuerTables:
    """`keyring`: the wrapped keys of subjects and days. `restrictions`: revocations of clients, tokens and the issuer."""

    log: LogTables
    subjects: Table
    keyring: Table
    sessions: Table
    clients: Table
    signing_keys: Table
    restrictions: Table


def issuer_tables(metadata: MetaData) -> IssuerTables:
    """Describe all tables of the issuer, its log's included."""
    return IssuerTables(
        log_tables(metadata),
        _subjects(metadata),
        _keyring(metadata),
        _sessions(metadata),
        _clients(metadata),
        _signing_keys(metadata),
        _restrictions(metadata),
    )


def _subjects(metadata: MetaData) -> Table:
    return Table(
        "subjects",
        metadata,
        Column("id", Text, primary_key=True),
        Column("sub", Text, unique=True),  # NULL once forgotten, like the next two
        Column("username", Text, unique=True),
        Column("password", Text),
        Column("name", Text, nullable=False, index=True),
        Column("client_id", Text, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("version", Integer, nullable=False),
        Column("scopes", Text, nullable=False),
        Column("disabled", Boolean, nullable=False),
        Column("forgotten", Boolean, nullable=False),
        Column("cv", Integer, nullable=False),
        Column("last_cv", Integer, nullable=False),
        Column("last_sn", BigInteger, nullable=False),
        Column("restrictions", Text, nullable=False),
    )


def _keyring(metadata: MetaData) -> Table:
    return Table(
        "keyring",
        metadata,
        Column("name", Text, primary_key=True),
        Column("wrapped", LargeBinary, nullable=False),
        Column("created", BigInteger, nullable=False),
    )


def _sessions(metadata: MetaData) -> Table:
    sessions = Table(
        "sessions",
        metadata,
        Column("sn", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("sid", Text, nullable=False, unique=True),
        Column("subject_id", Text, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("secret", LargeBinary, nullable=False),
        Column("version", Integer, nullable=False),
        Column("auth_time", BigInteger, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("last_seen", BigInteger, nullable=False),
        Column("remember_me", Boolean, nullable=False),
        Column("bind_ip", Text, nullable=False),
        Column("bind_device", Text, nullable=False),
        Column("scopes", Text),  # NULL: those of the subject
        Column("cv", Integer, nullable=False),
        Column("generation", Integer, nullable=False),
        Column("token_iat", BigInteger, nullable=False),
        Column("token_exp", BigInteger, nullable=False),
        Column("token_kid", Text, nullable=False),
        Column("rotated_at", BigInteger, nullable=False),
        Column("late", Boolean, nullable=False),
        Column("late_run", Integer, nullable=False),
        Column("restrictions", Text, nullable=False),
        Column("closed_at", BigInteger, nullable=False),
        Column("closed_why", Text, nullable=False),
        Column("profile", LargeBinary, nullable=False),  # sealed with the subject's key
        sqlite_autoincrement=True,  # a number is never given twice
    )
    Index("sessions_subject", sessions.c.subject_id, sessions.c.sn)
    Index("sessions_open", sessions.c.token_exp, sqlite_where=_OPEN, postgresql_where=_OPEN)
    Index("sessions_exp", sessions.c.token_exp)
    return sessions


def _clients(metadata: MetaData) -> Table:
    return Table(
        "clients",
        metadata,
        Column("id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("secret", LargeBinary, nullable=False),  # its SHA-256; empty for a public client
        Column("scopes", Text, nullable=False),
        Column("grants", Text, nullable=False),
        Column("audience", Text, nullable=False),
        Column("public", Boolean, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("version", Integer),  # NULL, as in the next two: of a client that was never changed
        Column("previous_secret", LargeBinary),
        Column("previous_until", BigInteger),
    )


def _signing_keys(metadata: MetaData) -> Table:
    return Table(
        "signing_keys",
        metadata,
        Column("kid", Text, primary_key=True),
        Column("use", Text, nullable=False),
        Column("algorithm", Text, nullable=False),
        Column("wrapped", LargeBinary, nullable=False),
        Column("signs_from", BigInteger, nullable=False),
        Column("retired_at", BigInteger, nullable=False),
        Column("revoked_at", BigInteger, nullable=False),
    )


def _restrictions(metadata: MetaData) -> Table:
    return Table(
        "restrictions",
        metadata,
        Column("revocation_id", Text, primary_key=True),
        Column("target_type", Text, nullable=False, index=True),
        Column("target_id", Text, nullable=False),
        Column("restriction", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
    )

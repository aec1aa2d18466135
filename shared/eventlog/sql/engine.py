"""Connections to SQLite and PostgreSQL, with the settings without which their promises do not hold."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event, make_url, text

from eventlog.backoff import backoff
from eventlog.sql.translation import translated

_TURNS: WeakKeyDictionary[Engine, Lock] = WeakKeyDictionary()  # of SQLite engines
_TURN_S = 5.0
_WAL_ATTEMPTS = 8
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SQLITE_SETTINGS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA synchronous = FULL",  # a commit that was answered survives a power cut
    "PRAGMA foreign_keys = ON",
)
_POSTGRES_SETTINGS = {
    "lock_timeout": "3s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}


def open_engine(url: str, *, schema: str, pool: int = 10) -> Engine:
    """Open `sqlite:///FILE` or `postgresql+psycopg://…` and see that it answers.

    On PostgreSQL everything lives in `schema`, which is made where it is missing; a SQLite file is a schema of its own.
    A transaction that writes takes SQLite's write lock at its beginning. ValueError for another kind of database,
    StoreUnavailable when it does not answer.
    """
    if not _IDENTIFIER.fullmatch(schema):
        raise ValueError("a schema's name is lower-case letters, digits and underscores")
    parsed = make_url(url)
    if parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return _open_sqlite(parsed, pool)
    if parsed.drivername == "postgresql+psycopg":
        return _open_postgres(parsed, schema, pool)
    raise ValueError("a database is sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")


def _open_sqlite(url: URL, pool: int) -> Engine:
    engine = create_engine(url, pool_size=pool, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    _TURNS[engine] = Lock()
    with write_connection(engine):  # it answers
        return engine


def _open_postgres(url: URL, schema: str, pool: int) -> Engine:
    settings = _POSTGRES_SETTINGS | {"search_path": schema}
    engine = create_engine(
        url,
        pool_size=pool,
        pool_pre_ping=True,
        pool_timeout=5,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
    with write_connection(engine) as connection:
        lock(connection, "schema")
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    return engine


@contextmanager
def write_connection(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed at the end unless an error left it.

    StoreUnavailable and Contention mean that nothing was written; UnknownOutcome that the connection was lost at COMMIT.
    """
    with translated(), _turn(engine), engine.connect() as connection, connection.begin() as transaction:
        yield connection
        with translated(committing=True):
            transaction.commit()


@contextmanager
def read_connection(engine: Engine) -> Iterator[Connection]:
    """One snapshot: every statement inside sees the same state, and none may write."""
    with translated(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            reading = connection.execution_options(reading=True)
        with reading.begin() as transaction:
            yield reading
            transaction.rollback()  # nothing to commit: a commit could only fail


def create_tables(engine: Engine, metadata: MetaData) -> None:
    """Make the tables that are missing; processes that start together take turns."""
    with write_connection(engine) as connection:
        lock(connection, "schema")
        metadata.create_all(connection)


def lock(connection: Connection, what: str) -> None:
    """Hold `what` of this schema until the transaction ends. On SQLite a writing transaction holds everything already."""
    if connection.dialect.name == "postgresql":
        statement = text("SELECT pg_advisory_xact_lock(hashtextextended(current_setting('search_path') || ' ' || :what, 0))")
        connection.execute(statement, {"what": what})


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Let this process's writers of a SQLite file take turns here: SQLite would make them sleep and poll."""
    turns = _TURNS.get(engine)
    taken = turns is not None and turns.acquire(timeout=_TURN_S)  # else the file decides
    try:
        yield
    finally:
        if turns is not None and taken:
            turns.release()


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is lazy and lets two writers decide on one state
    for setting in _SQLITE_SETTINGS:
        connection.execute(setting)
    _use_wal(connection)


def _use_wal(connection: Any) -> None:
    """A new file's first change of its journal does not wait for others who do the same: SQLite says busy at once."""
    for failures in range(_WAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or failures == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(backoff(failures))
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

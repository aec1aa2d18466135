"""What a database says, in the log's words. The messages name no host, no user and no value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from eventlog.errors import Contention, EventLogError, StoreUnavailable, UnknownOutcome

_SQLITE = {
    sqlite3.SQLITE_BUSY: "the database is locked by another writer",
    sqlite3.SQLITE_LOCKED: "the database is locked by another writer",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not answer",
    sqlite3.SQLITE_READONLY: "the database file is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
    sqlite3.SQLITE_NOTADB: "the database file is not a database",
}
_POSTGRES = {  # SQLSTATEs, PostgreSQL manual, appendix A
    "55P03": "the database is locked by another writer",
    "57014": "a statement ran into its time-out",
    "53100": "the disk is full",
    "53200": "the database is out of memory",
    "53300": "the database has no connection left",
    "57P01": "the database is being shut down",
    "57P02": "the database crashed",
    "57P03": "the database is starting or stopping",
    "25006": "the database is read-only",
    "25P03": "a transaction was idle for too long",
}
_CONTENTION = {"40001": "a serialization conflict", "40P01": "a deadlock"}
_NOT_WRITTEN = ("23", "40")  # SQLSTATE classes that a COMMIT answers with after rolling back


@contextmanager
def translated(*, committing: bool = False) -> Iterator[None]:
    """Raise StoreUnavailable, Contention or (while committing) UnknownOutcome for what the database reports.

    Violated constraints and programming errors pass through as they are.
    """
    try:
        yield
    except exc.TimeoutError:
        raise StoreUnavailable("all connections to the database are in use") from None
    except exc.DBAPIError as error:
        found = _translate(error, committing=committing)
        if found is None:
            raise
        raise found from None


def _translate(error: exc.DBAPIError, *, committing: bool) -> EventLogError | None:
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite(error.orig, committing=committing)
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _CONTENTION:
        return Contention(_CONTENTION[state])
    lost = not state and isinstance(error, (exc.OperationalError, exc.InterfaceError))
    if committing and (lost or (state and not state.startswith(_NOT_WRITTEN))):
        return UnknownOutcome("the database did not answer the commit")
    if lost or state.startswith("08"):
        return StoreUnavailable("the database does not answer")
    return StoreUnavailable(_POSTGRES[state]) if state in _POSTGRES else None


def _sqlite(error: sqlite3.Error, *, committing: bool) -> EventLogError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
    if committing and code == sqlite3.SQLITE_IOERR:
        return UnknownOutcome("the disk did not answer the commit")  # the frames may be in the WAL already
    return StoreUnavailable(_SQLITE[code]) if code in _SQLITE else None

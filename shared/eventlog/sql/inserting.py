"""Appending rows: one statement for a whole batch, that refuses a stream's wrong next version by itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, exc, text

from eventlog.errors import DuplicateEvent, VersionConflict
from eventlog.port import Entry

# A row is left out where the version before it is missing (0: it is the first, or the row before is in this batch).
_POSTGRES = text("""
INSERT INTO events (id, stream, version, type, time, subject, session, data, personal)
SELECT id, stream, version, type, time, subject, session, data, personal
FROM unnest(CAST(:id AS text[]), CAST(:stream AS text[]), CAST(:version AS int[]), CAST(:type AS text[]),
            CAST(:time AS bigint[]), CAST(:subject AS text[]), CAST(:session AS text[]), CAST(:data AS bytea[]),
            CAST(:personal AS bytea[]), CAST(:previous AS int[])) WITH ORDINALITY
     AS n (id, stream, version, type, time, subject, session, data, personal, previous, nth)
WHERE previous = 0 OR EXISTS (SELECT 1 FROM events e WHERE e.stream = n.stream AND e.version = n.previous)
ORDER BY nth
""")
_SQLITE = text("""
INSERT INTO events (id, stream, version, type, time, subject, session, data, personal)
SELECT :id, :stream, :version, :type, :time, :subject, :session, :data, :personal
WHERE :previous = 0 OR EXISTS (SELECT 1 FROM events WHERE stream = :stream AND version = :previous)
""")
_VERSIONS = {
    "postgresql": text("""
SELECT stream, coalesce((SELECT max(version) FROM events e WHERE e.stream = n.stream), 0)
FROM unnest(CAST(:streams AS text[])) AS n (stream)
"""),
    "sqlite": text("SELECT :stream, coalesce((SELECT max(version) FROM events WHERE stream = :stream), 0)"),
}


def insert(connection: Connection, entries: Sequence[Entry]) -> None:
    """Append in the caller's transaction, which must be left on an error.

    VersionConflict unless every entry's version is its stream's next (also when another writer took it first);
    DuplicateEvent when an id is in the log already.
    """
    if not entries:
        return
    rows = _rows(entries)
    try:
        if connection.dialect.name == "postgresql":
            done = connection.execute(_POSTGRES, {name: [row[name] for row in rows] for name in rows[0]})
        else:
            done = connection.execute(_SQLITE, rows)
    except exc.IntegrityError as error:
        if "events_id" in str(error.orig) or "events.id" in str(error.orig):
            raise DuplicateEvent("an event of this id is in the log already") from None
        raise VersionConflict("another writer was first") from None
    if done.rowcount != len(entries):
        raise VersionConflict("a stream is not as far as expected")


def versions(connection: Connection, streams: Sequence[str]) -> dict[str, int]:
    """How far each stream is; 0 for an unknown one."""
    if connection.dialect.name == "postgresql":
        return {row[0]: row[1] for row in connection.execute(_VERSIONS["postgresql"], {"streams": list(streams)})}
    found = (connection.execute(_VERSIONS["sqlite"], {"stream": each}).one() for each in streams)
    return {row[0]: row[1] for row in found}


def _rows(entries: Sequence[Entry]) -> list[dict[str, object]]:
    last: dict[str, int] = {}
    rows: list[dict[str, object]] = []
    for entry in entries:
        event, known = entry.event, last.get(entry.stream)
        if entry.version < 1 or (known is not None and entry.version != known + 1):
            raise VersionConflict("the versions of a stream do not follow one another")
        last[entry.stream] = entry.version
        rows.append(
            {
                "id": event.id,
                "stream": entry.stream,
                "version": entry.version,
                "type": event.type,
                "time": event.time,
                "subject": event.subject,
                "session": event.session,
                "data": event.data,
                "personal": event.personal,
                "previous": entry.version - 1 if known is None else 0,
            },
        )
    return rows

"""Acknowledgements in the database, and what receipts read of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, delete, text

from eventlog.sql.engine import read_connection, write_connection
from eventlog.sql.log import SqlLog
from rescind.position import BEGINNING, Position
from services.revocation.acks import Ack
from services.revocation.decisions.receipts import Heard, Reached
from services.revocation.sql.clock import database_now
from services.revocation.sql.tables import RevocationTables

_HEARD = text("""
INSERT INTO instances (verifier, instance, epoch, seq, since, heard, max_staleness, policy)
VALUES (:verifier, :instance, :epoch, :seq, :heard, :heard, :max_staleness, :policy)
ON CONFLICT (verifier, instance) DO UPDATE SET
    epoch = excluded.epoch, seq = excluded.seq, heard = excluded.heard,
    max_staleness = excluded.max_staleness, policy = excluded.policy
""")
_REACHED = text("""
INSERT INTO acks (verifier, instance, epoch, seq, applied) VALUES (:verifier, :instance, :epoch, :seq, :applied)
ON CONFLICT (verifier, instance, epoch, seq) DO NOTHING
""")
_READ = text("""
SELECT i.verifier, i.instance, i.epoch, i.seq, i.since, i.heard, i.max_staleness, i.policy,
       (SELECT a.applied FROM acks a
        WHERE a.verifier = i.verifier AND a.instance = i.instance AND (a.epoch, a.seq) >= (:epoch, :seq)
        ORDER BY a.epoch, a.seq LIMIT 1) AS applied
FROM instances i JOIN verifiers v ON v.name = i.verifier ORDER BY i.verifier, i.instance
""")


class AckStore:
    """`clock`: this process's milliseconds, in which acknowledgements are stamped; the table has the database's."""

    def __init__(self, log: SqlLog, tables: RevocationTables, *, clock: Callable[[], float]) -> None:
        self._engine = log.engine
        self._tables = tables
        self._clock = clock

    def write(self, acks: Sequence[Ack]) -> None:
        """Store a batch in one transaction, in one order, so that two processes never wait for one another."""
        acks = sorted(acks, key=lambda ack: (ack.verifier, ack.instance))
        with write_connection(self._engine) as connection:
            ahead = database_now(connection) - self._clock()
            connection.execute(_HEARD, [_heard_row(ack, ahead) for ack in acks])
            reached = [row for ack in acks for row in _reached_rows(ack, ahead)]
            if reached:
                connection.execute(_REACHED, reached)

    def read(self, position: Position = BEGINNING) -> tuple[int, Sequence[Reached]]:
        """The database's time, and every instance with the moment when it was first at `position`."""
        with read_connection(self._engine) as connection:
            now = database_now(connection)
            rows = connection.execute(_READ, {"epoch": position.epoch, "seq": position.seq})
            return now, [_reached(row) for row in rows]

    def forget(self, *, older_ms: int) -> None:
        """Drop acknowledgements, and instances that were not heard, from before so long."""
        acks, instances = self._tables.acks, self._tables.instances
        with write_connection(self._engine) as connection:
            until = database_now(connection) - older_ms
            connection.execute(delete(acks).where(acks.c.applied < until))
            connection.execute(delete(instances).where(instances.c.heard < until))


def _heard_row(ack: Ack, ahead: float) -> dict[str, Any]:
    return {
        "verifier": ack.verifier,
        "instance": ack.instance,
        "epoch": ack.at.epoch,
        "seq": ack.at.seq,
        "heard": round(ack.heard + ahead),
        "max_staleness": ack.max_staleness,
        "policy": ack.policy,
    }


def _reached_rows(ack: Ack, ahead: float) -> Sequence[dict[str, Any]]:
    return [
        {
            "verifier": ack.verifier,
            "instance": ack.instance,
            "epoch": position.epoch,
            "seq": position.seq,
            "applied": round(at + ahead),
        }
        for position, at in ack.reached
    ]


def _reached(row: Row[Any]) -> Reached:
    heard = Heard(
        verifier=row.verifier,
        instance=row.instance,
        at=Position(row.epoch, row.seq),
        since=row.since,
        heard=row.heard,
        max_staleness=row.max_staleness,
        policy=row.policy,
    )
    return Reached(heard, row.applied)

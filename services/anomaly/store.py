"""The anomaly service's rows, read and written. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, MetaData, delete, func, insert, select, update

from eventlog.port import START, Checkpoint
from eventlog.sql.engine import create_tables, lock, read_connection, write_connection
from services.anomaly.detector import Finding, Session
from services.anomaly.folding import Effects
from services.anomaly.policy import Action
from services.anomaly.ports import Command
from services.anomaly.rows import command_of, command_row, finding_of, finding_row, session_of, session_row
from services.anomaly.tables import AnomalyTables, anomaly_tables

_KEEP_AFTER_EXPIRY = 24 * 3_600_000  # ms; more than any writers' clocks differ, so that pruning never changes a finding


@dataclass(frozen=True, slots=True)
class Filed:
    """A finding as it stands in the store. `refusal`: why the revocation service did not accept the action, else empty."""

    number: int
    finding: Finding
    action: Action
    refusal: str


def open_store(engine: Engine, *, part: str = "sessions") -> AnomalyStore:
    """The store in this database; makes the tables that are missing. `part`: of the followed log, whose checkpoint counts."""
    metadata = MetaData()
    tables = anomaly_tables(metadata)
    create_tables(engine, metadata)
    return AnomalyStore(engine, tables, part=part)


class AnomalyStore:
    """Findings, detector state, outbox and checkpoint in one database."""

    def __init__(self, engine: Engine, tables: AnomalyTables, *, part: str = "sessions") -> None:
        self._engine = engine
        self._tables = tables
        self._part = part
        self.leases = tables.leases

    def checkpoint(self) -> Checkpoint:
        """How far the session log was read."""
        with read_connection(self._engine) as connection:
            return _checkpoint(connection, self._tables, self._part)

    def sessions(self, sids: Collection[str]) -> Mapping[str, Session]:
        """What is remembered of these sessions; personal parts are still sealed."""
        table = self._tables.sessions
        with read_connection(self._engine) as connection:
            rows = connection.execute(select(table).where(table.c.sid.in_(sids))).mappings()
            return {row["sid"]: session_of(row) for row in rows}

    def commit(self, effects: Effects, *, before: Checkpoint, after: Checkpoint) -> bool:
        """Write all of it and move the checkpoint; False, and nothing is written, when it no longer stands at `before`."""
        with write_connection(self._engine) as connection:
            if not _move(connection, self._tables, self._part, before, after):
                return False
            self._write_sessions(connection, effects)
            self._write_findings(connection, effects)
            return True

    def waiting(self) -> Command | None:
        """The oldest command that has no answer yet."""
        table = self._tables.outbox
        query = select(table).where(table.c.outcome == "waiting").order_by(table.c.number).limit(1)
        with read_connection(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return command_of(row) if row else None

    def backlog(self) -> int:
        """How many commands have no answer yet."""
        table = self._tables.outbox
        with read_connection(self._engine) as connection:
            count = connection.scalar(select(func.count()).select_from(table).where(table.c.outcome == "waiting"))
        return count or 0

    def answered(self, finding_id: str, *, revocation_id: str = "", refusal: str = "") -> None:
        """Note what the revocation service said to a command."""
        outbox, findings = self._tables.outbox, self._tables.findings
        outcome = "refused" if refusal else "made"
        with write_connection(self._engine) as connection:
            connection.execute(update(outbox).where(outbox.c.finding_id == finding_id).values(outcome=outcome, refusal=refusal))
            connection.execute(update(findings).where(findings.c.id == finding_id).values(revocation_id=revocation_id))

    def findings(self, *, after: int = 0, limit: int = 100, sid: str = "") -> Sequence[Filed]:
        """Findings in the order in which they were made."""
        table, outbox = self._tables.findings, self._tables.outbox
        query = (
            select(table, outbox.c.refusal)
            .join(outbox, outbox.c.finding_id == table.c.id, isouter=True)
            .where(table.c.number > after)
            .order_by(table.c.number)
            .limit(limit)
        )
        with read_connection(self._engine) as connection:
            rows = connection.execute(query.where(table.c.sid == sid) if sid else query).mappings()
            return [Filed(row["number"], finding_of(row), Action(row["action"]), row["refusal"] or "") for row in rows]

    def _write_sessions(self, connection: Connection, effects: Effects) -> None:
        table = self._tables.sessions
        expired = table.c.expires < effects.time - _KEEP_AFTER_EXPIRY
        replaced = table.c.sid.in_([each.sid for each in effects.sessions])
        connection.execute(delete(table).where(expired | replaced | table.c.subject.in_(effects.forgotten)))
        if effects.sessions:
            connection.execute(insert(table), [session_row(each) for each in effects.sessions])

    def _write_findings(self, connection: Connection, effects: Effects) -> None:
        findings, outbox = self._tables.findings, self._tables.outbox
        if effects.forgotten:
            blank = {"now_sealed": b"", "before_sealed": b""}
            connection.execute(update(findings).where(findings.c.subject.in_(effects.forgotten)).values(blank))
        ids = [finding.id for finding, _ in effects.findings]
        if not ids:
            return
        known = set(connection.scalars(select(findings.c.id).where(findings.c.id.in_(ids))))
        fresh = {finding.id: finding_row(finding, action) for finding, action in effects.findings if finding.id not in known}
        commands = [command_row(each) for each in effects.commands if each.finding_id in fresh]
        if fresh:
            connection.execute(insert(findings), list(fresh.values()))
        if commands:
            connection.execute(insert(outbox), commands)


def _checkpoint(connection: Connection, tables: AnomalyTables, part: str) -> Checkpoint:
    table = tables.cursors
    return Checkpoint(connection.scalar(select(table.c.checkpoint).where(table.c.name == part)) or START)


def _move(connection: Connection, tables: AnomalyTables, part: str, before: Checkpoint, after: Checkpoint) -> bool:
    table = tables.cursors
    lock(connection, "cursors")
    if _checkpoint(connection, tables, part) != before:
        return False
    moved = connection.execute(update(table).where(table.c.name == part).values(checkpoint=after))
    if not moved.rowcount:
        connection.execute(insert(table).values(name=part, checkpoint=after))
    return True

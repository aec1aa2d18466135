"""Detector states, findings and commands as rows of the tables, and back."""

from __future__ import annotations

from sqlalchemy import RowMapping

from rescind.vocabulary import Effect
from services.anomaly.detector import Finding, Rule, Session, Sighting
from services.anomaly.ports import Command


def session_of(row: RowMapping) -> Session:
    """Read a detector state; its personal part stays sealed."""
    last = Sighting(row["last_event"], row["subject"], row["last_time"], row["last_sealed"]) if row["last_event"] else None
    return Session(row["sid"], row["subject"], row["version"], row["expires"], last)


def session_row(session: Session) -> dict[str, object]:
    """Write a detector state."""
    last = session.last
    return {
        "sid": session.sid,
        "subject": session.subject,
        "version": session.version,
        "expires": session.expires,
        "last_event": last.event_id if last else "",
        "last_time": last.time if last else 0,
        "last_sealed": last.sealed if last else b"",
    }


def finding_of(row: RowMapping) -> Finding:
    """Read a finding; its personal parts stay sealed."""
    subject = row["subject"]
    before = Sighting(row["before_event"], subject, row["before_time"], row["before_sealed"]) if row["before_event"] else None
    now = Sighting(row["now_event"], subject, row["time"], row["now_sealed"])
    found = (row["id"], Rule(row["rule"]), subject, row["sid"], row["sn"], row["time"])
    return Finding(*found, before, now, row["cause"], row["revocation_id"])


def finding_row(finding: Finding, action: str) -> dict[str, object]:
    """Write a finding with the action taken."""
    before = finding.before
    return {
        "id": finding.id,
        "rule": finding.rule.value,
        "subject": finding.subject,
        "sid": finding.sid,
        "sn": finding.sn,
        "time": finding.time,
        "cause": finding.cause,
        "action": action,
        "revocation_id": finding.revocation_id,
        "now_event": finding.now.event_id,
        "now_sealed": finding.now.sealed,
        "before_event": before.event_id if before else "",
        "before_time": before.time if before else 0,
        "before_sealed": before.sealed if before else b"",
    }


def command_of(row: RowMapping) -> Command:
    """Read a command."""
    return Command(row["finding_id"], row["sid"], row["sn"], Effect(row["effect"]), row["note"])


def command_row(command: Command) -> dict[str, object]:
    """Write a command that waits to be sent."""
    return {
        "finding_id": command.finding_id,
        "sid": command.sid,
        "sn": command.sn,
        "effect": command.effect.value,
        "note": command.note,
        "outcome": "waiting",
        "refusal": "",
    }

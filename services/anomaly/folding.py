"""One batch of the session log, folded over what the detector remembers. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from eventlog.port import Recorded
from rescind.events.personal import Personal
from rescind.events.registry import AnyEvent, decode
from rescind.events.subject import SubjectForgotten
from services.anomaly.detector import Finding, Session, Sighting, observe
from services.anomaly.policy import Action, decide
from services.anomaly.ports import Command

Opened = Mapping[str, Personal | None]
"""Event id -> its personal part."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What one batch leads to. It is written with the batch's checkpoint, or not at all."""

    sessions: Sequence[Session]
    forgotten: Collection[str]  # subjects
    findings: Sequence[tuple[Finding, Action]]
    commands: Sequence[Command]
    time: int  # of the batch's latest event


def sightings(records: Sequence[Recorded], sessions: Mapping[str, Session]) -> list[Sighting]:
    """All that has to be opened before the batch can be folded."""
    events = (each.event for each in records if each.event.session and each.event.personal)
    found = [Sighting(event.id, event.subject, event.time, event.personal) for event in events]
    return found + [session.last for session in sessions.values() if session.last]


def fold(records: Sequence[Recorded], sessions: Mapping[str, Session], opened: Opened, setting: Action) -> Effects:
    """Observe each record in turn. `sessions`: what is remembered of those that the records are about."""
    known = {sid: _reopened(session, opened) for sid, session in sessions.items()}
    forgotten: set[str] = set()
    findings: list[Finding] = []
    for recorded in records:
        event = decode(recorded.event.type, recorded.event.data)
        if isinstance(event, SubjectForgotten):
            forgotten.add(recorded.event.subject)
        session, finding = _observe(known, recorded, event, opened)
        if session is not None:
            known[session.sid] = session
        if finding is not None:
            findings.append(finding)
    decided = [(finding, *decide(finding, setting)) for finding in findings]
    return Effects(
        sessions=[each for each in known.values() if each.subject not in forgotten and each != sessions.get(each.sid)],
        forgotten=forgotten,
        findings=[(finding, action) for finding, action, _ in decided],
        commands=[command for _, _, command in decided if command],
        time=max((each.event.time for each in records), default=0),
    )


def _observe(
    known: Mapping[str, Session], recorded: Recorded, event: AnyEvent, opened: Opened
) -> tuple[Session | None, Finding | None]:
    return observe(known.get(recorded.event.session), recorded, event, opened.get(recorded.event.id))


def _reopened(session: Session, opened: Opened) -> Session:
    return replace(session, last=replace(session.last, personal=opened.get(session.last.event_id))) if session.last else session

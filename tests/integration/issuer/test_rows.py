"""The state rows and the log tell the same story, whatever happened and in whichever order."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace

import pytest
from kit.issuing import ELSEWHERE, HOME, World, open_world
from sqlalchemy import Engine

from eventlog.port import Recorded
from rescind.events.registry import decode
from rescind.events.session import SESSION_EVENTS, TokenIssued, TokenRefreshed
from rescind.events.subject import SUBJECT_EVENTS
from services.issuer.contexts import StartSession
from services.issuer.decisions import session, subject
from services.issuer.decisions.session import Session, SessionEvent
from services.issuer.decisions.subject import Account, SubjectEvent
from services.issuer.errors import IssuerError

TURNS = 80


def live_through(world: World, luck: random.Random) -> None:
    """Sign-ins, refreshes, copies, ends and changes in a random order; refusals are part of life."""
    client = world.client()
    owner = world.account()
    held: list[str] = []
    for _ in range(TURNS):
        world.clock.pass_s(luck.choice([0, 1, 40, 3600]))
        sid_of = luck.choice(held) if held else ""
        with contextlib.suppress(IssuerError):
            match luck.randrange(10):
                case 0 | 1:
                    held.append(world.sign_in().refresh)
                case 2:
                    held.append(world.issuer.sessions.start(client, StartSession(subject="bob"), HOME).refresh)
                case 3 | 4 | 5 if held:
                    held.append(world.refresh(sid_of, luck.choice([HOME, HOME, ELSEWHERE])).refresh)
                case 6 if held:
                    world.issuer.sessions.logout(sid_of)
                case 7:
                    world.issuer.sessions.end_many(owner.id, keep_sid=None, by="user")
                case 8:
                    world.issuer.subjects.set_scopes(owner.sub, luck.choice([("read",), ("write",)]), by="admin:test")
                case 9:
                    views = world.issuer.sessions.of_subject(world.issuer.subjects.find("bob").id)
                    world.issuer.sessions.change_claims(client, luck.choice(views).sid if views else "", None, {"x": 1})
    world.issuer.sweeping.sweep()


def of_session(record: Recorded) -> SessionEvent | None:
    event = decode(record.event.type, record.event.data)
    return event if isinstance(event, SESSION_EVENTS) else None


def of_subject(record: Recorded) -> SubjectEvent | None:
    event = decode(record.event.type, record.event.data)
    return event if isinstance(event, SUBJECT_EVENTS) else None  # type: ignore[return-value]


def folded_session(row: Session, records: list[Recorded]) -> Session:
    """The row without what only events tell, and then what they tell."""
    state = replace(row, restrictions=(), closed_at=0, closed_why="", cv=0, version=0)
    for record in records:
        if record.stream == f"session-{row.sid}" and (event := of_session(record)):
            state = replace(session.evolve(state, event, record.event.time), version=record.version)
    return state


def folded_account(row: Account, records: list[Recorded]) -> Account:
    state = replace(row, restrictions=(), scopes=frozenset(), cv=0, version=0, disabled=False)
    for record in records:
        if record.stream == f"subject-{row.id}" and (event := of_subject(record)):
            state = replace(subject.evolve(state, event, record.event.time), version=record.version)
    return replace(state, last_cv=row.last_cv)


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_are_what_the_events_say(engine: Engine, seed: int) -> None:
    world = open_world(engine)
    live_through(world, random.Random(seed))  # noqa: S311  (a test's dice)
    records = world.records()
    events = [event for record in records if (event := of_session(record))]
    sids = [event.sid for event in events if isinstance(event, TokenIssued)]
    ended_by_subject = 0
    with world.issuer.store.reading() as unit:
        rows = unit.sessions.find_all(sids)
        accounts = [unit.subjects.by_id(each) for each in {row.subject_id for row in rows.values()}]
    assert len(rows) == len(sids) > 5
    for sid, row in rows.items():
        state = folded_session(row, records)
        if row.closed_at and not state.closed_at:  # by a cut-off, which the subject's events tell
            ended_by_subject += 1
            state = replace(state, closed_at=row.closed_at, closed_why=row.closed_why)
        assert state == row
        rotations = sum(isinstance(event, TokenRefreshed) and event.sid == sid for event in events)
        assert row.rotation.generation == 1 + rotations
    for found in accounts:
        assert found is not None
        assert folded_account(found.account, records) == found.account
    assert ended_by_subject

"""Each finding leads to one revocation, whatever dies in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from kit.session_story import HOME, THIEF, OpenKeys, SessionStory
from sqlalchemy import Engine, MetaData

from eventlog.errors import EventLogError, StoreUnavailable, UnknownOutcome
from eventlog.port import Batch, Checkpoint
from eventlog.sql.engine import create_tables
from rescind.vocabulary import Effect
from services.anomaly.policy import Action
from services.anomaly.ports import Capped, Command, Refused, Revoke
from services.anomaly.sender import Sender
from services.anomaly.store import AnomalyStore, open_store
from services.anomaly.tables import anomaly_tables
from services.anomaly.worker import Worker

SIDS = ("a", "b", "c")


@dataclass
class Revocations:
    """The revocation service: one revocation per idempotency key. `answers` are raised first, in turn."""

    answers: list[Exception] = field(default_factory=list)
    made: dict[str, Command] = field(default_factory=dict)
    calls: int = 0

    def __call__(self, command: Command) -> str:
        return self.make(command, command.finding_id)

    def make(self, command: Command, key: str) -> str:
        self.calls += 1
        if self.answers:
            raise self.answers.pop(0)
        self.made.setdefault(key, command)
        return f"r-{key}"


class Killed(Exception):
    """The process died here."""


class DiesOnce(AnomalyStore):
    """The process dies after the revocation service answered, before that is noted."""

    alive = True

    def answered(self, finding_id: str, *, revocation_id: str = "", refusal: str = "") -> None:
        if self.alive:
            self.alive = False
            raise Killed
        super().answered(finding_id, revocation_id=revocation_id, refusal=refusal)


class NotesFirst(Sender):
    """Broken: notes the answer before it asks."""

    def step(self) -> bool:
        command = self._store.waiting()
        if command is None:
            return False
        self._store.answered(command.finding_id, revocation_id="soon")
        self._revoke(command)
        return True


def with_findings(store: AnomalyStore) -> AnomalyStore:
    story = SessionStory()
    for sid in SIDS:
        story.issued(sid, HOME)
    for sid in SIDS:
        story.refreshed(sid, THIEF)
    Worker(store, OpenKeys(), action=Action.HOLD, found=lambda: None).apply(Batch(tuple(story.records), Checkpoint("6")))
    return store


@pytest.fixture
def make(engine: Engine) -> Callable[[type[AnomalyStore]], AnomalyStore]:
    metadata = MetaData()
    tables = anomaly_tables(metadata)
    create_tables(engine, metadata)
    return lambda kind: with_findings(kind(engine, tables))


@pytest.fixture
def store(make: Callable[[type[AnomalyStore]], AnomalyStore]) -> AnomalyStore:
    return make(AnomalyStore)


def empty(sender: Sender, *, restarts: int = 10) -> None:
    """Run until the outbox is empty; whatever is raised is a restart."""
    for _ in range(restarts):
        try:
            while sender.step():
                pass
        except (Killed, Capped, EventLogError):
            continue
        else:
            return
    pytest.fail("the outbox is never empty")


def sids(made: Sequence[Command]) -> list[str]:
    return [each.sid for each in made]


def test_commands_go_out_in_order_and_the_findings_learn_the_ids(store: AnomalyStore) -> None:
    revocations = Revocations()
    empty(Sender(store, revocations))
    assert sids(list(revocations.made.values())) == list(SIDS)
    assert {each.effect for each in revocations.made.values()} == {Effect.HOLD}
    assert all(each.finding.revocation_id == f"r-{each.finding.id}" for each in store.findings())
    assert store.waiting() is None


@pytest.mark.parametrize("error", [Capped(1), StoreUnavailable("away"), UnknownOutcome("lost")])
def test_what_cannot_be_sent_now_waits_in_its_place(store: AnomalyStore, error: Exception) -> None:
    revocations = Revocations(answers=[error, error])
    empty(Sender(store, revocations))
    assert sids(list(revocations.made.values())) == list(SIDS)
    assert revocations.calls == len(SIDS) + 2


def test_what_is_refused_is_noted_and_the_next_goes_on(store: AnomalyStore) -> None:
    revocations = Revocations(answers=[Refused("no such issuer")])
    empty(Sender(store, revocations))
    assert sids(list(revocations.made.values())) == ["b", "c"]
    assert [(each.refusal, bool(each.finding.revocation_id)) for each in store.findings()] == [
        ("no such issuer", False),
        ("", True),
        ("", True),
    ]


def test_a_death_between_answer_and_note_sends_twice_and_revokes_once(make: Callable[[type[AnomalyStore]], AnomalyStore]) -> None:
    revocations = Revocations()
    empty(Sender(make(DiesOnce), revocations))
    assert revocations.calls == len(SIDS) + 1
    assert sids(list(revocations.made.values())) == list(SIDS)


def test_without_the_findings_id_as_key_it_revokes_twice(make: Callable[[type[AnomalyStore]], AnomalyStore]) -> None:
    revocations = Revocations()
    keyless: Revoke = lambda command: revocations.make(command, uuid4().hex)  # noqa: E731  (broken on purpose)
    empty(Sender(make(DiesOnce), keyless))
    assert sids(list(revocations.made.values())) == ["a", *SIDS]


def test_a_sender_that_notes_before_it_asks_loses_commands(store: AnomalyStore) -> None:
    revocations = Revocations(answers=[StoreUnavailable("away")])
    empty(NotesFirst(store, revocations))
    assert sids(list(revocations.made.values())) == ["b", "c"]


def test_a_lost_store_is_made_again_without_a_second_revocation(engine: Engine, store: AnomalyStore) -> None:
    revocations = Revocations()
    empty(Sender(store, revocations))
    before = store.findings()
    metadata = MetaData()
    anomaly_tables(metadata)
    metadata.drop_all(engine)
    again = with_findings(open_store(engine))
    empty(Sender(again, revocations))
    assert again.findings() == before
    assert sids(list(revocations.made.values())) == list(SIDS)


def test_the_loop_says_what_is_in_its_way_and_goes_on(store: AnomalyStore) -> None:
    stop = threading.Event()
    seen: list[str] = []
    revocations = Revocations(
        answers=[StoreUnavailable("the database does not answer"), RuntimeError("nobody foresaw it"), Capped(0)]
    )

    def revoke(command: Command) -> str:
        seen.extend(sender.ready().values())
        answer = revocations(command)
        if len(revocations.made) == len(SIDS):
            stop.set()
        return answer

    sender = Sender(store, revoke)
    sender.run(stop)
    assert ["does not answer" in each for each in seen] == [True, False, False]
    assert ["RuntimeError" in each for each in seen] == [False, True, False]
    assert ["cap" in each for each in seen] == [False, False, True]
    assert sids(list(revocations.made.values())) == list(SIDS)
    assert not sender.ready()

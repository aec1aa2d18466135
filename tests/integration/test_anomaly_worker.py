"""The same log gives the same findings: restarted at any point, delivered twice, cut into any batches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from kit.session_story import DAY, HOME, LAPTOP, OFFICE, THIEF, OpenKeys, SessionStory
from sqlalchemy import Engine, MetaData, event, func, select

from eventlog.errors import Contention
from eventlog.port import START, Batch, Checkpoint, Recorded
from eventlog.sql.engine import create_tables, read_connection
from services.anomaly.detector import Session
from services.anomaly.folding import Effects, fold, sightings
from services.anomaly.policy import Action
from services.anomaly.store import AnomalyStore
from services.anomaly.tables import AnomalyTables, anomaly_tables
from services.anomaly.worker import Worker

Told = tuple[list[tuple[str, str, str]], list[str]]
"""(id, action, revocation id) of each finding in order, and the finding ids of the commands."""


class Forgetful(AnomalyStore):
    """Broken: what was seen before is looked at again."""

    def sessions(self, sids: Collection[str]) -> Mapping[str, Session]:
        return {sid: replace(each, version=0) for sid, each in super().sessions(sids).items()}


class CheckpointFirst(AnomalyStore):
    """Broken: the checkpoint is committed before the effects."""

    def commit(self, effects: Effects, *, before: Checkpoint, after: Checkpoint) -> bool:
        nothing = replace(effects, sessions=[], findings=[], commands=[])
        return super().commit(nothing, before=before, after=after) and super().commit(effects, before=after, after=after)


class OutboxLater(AnomalyStore):
    """Broken: the commands are committed after the findings."""

    def commit(self, effects: Effects, *, before: Checkpoint, after: Checkpoint) -> bool:
        silent = replace(effects, commands=[])
        return super().commit(silent, before=before, after=after) and super().commit(effects, before=after, after=after)


class AlwaysSlower(AnomalyStore):
    """Somebody else moves the checkpoint each time."""

    def commit(self, effects: Effects, *, before: Checkpoint, after: Checkpoint) -> bool:
        super().commit(replace(effects, findings=[], commands=[]), before=before, after=Checkpoint(f"{before}+"))
        return super().commit(effects, before=before, after=after)


class Killed(Exception):
    """The process died here."""


@pytest.fixture
def tables(engine: Engine) -> AnomalyTables:
    metadata = MetaData()
    described = anomaly_tables(metadata)
    create_tables(engine, metadata)
    return described


@pytest.fixture
def store(engine: Engine, tables: AnomalyTables) -> AnomalyStore:
    return AnomalyStore(engine, tables)


@pytest.fixture(scope="module")
def log() -> list[Recorded]:
    """Two thefts, a reuse, an honest traveller and a new device, all mixed."""
    told = SessionStory()
    told.issued("a", HOME)
    told.issued("b", LAPTOP, "s2")
    told.refreshed("a", OFFICE)
    told.refreshed("b", THIEF, "s2")  # a finding
    told.issued("c", HOME, "s3")
    told.refreshed("a", HOME)
    told.refreshed("c", HOME, "s3")
    told.refreshed("a", THIEF)  # a finding
    told.reused("c", THIEF, "s3")  # a finding
    told.refreshed("a", THIEF)
    return told.records


@pytest.fixture(scope="module")
def expected(log: list[Recorded]) -> Told:
    """The whole log folded at once, without a database."""
    wanted = sightings(log, {})
    opened = dict(zip([each.event_id for each in wanted], OpenKeys().open(wanted), strict=True))
    effects = fold(log, {}, opened, Action.END)
    assert len(effects.findings) == 3
    return [(each.id, action, each.revocation_id) for each, action in effects.findings], [c.finding_id for c in effects.commands]


def batches(log: Sequence[Recorded], size: int, after: Checkpoint = START) -> Iterator[Batch]:
    for start in range(int(after or 0), len(log), size):
        chunk = tuple(log[start : start + size])
        yield Batch(chunk, Checkpoint(str(start + len(chunk))))


def worker(store: AnomalyStore, action: Action = Action.END) -> Worker:
    return Worker(store, OpenKeys(), action=action, found=lambda: None)


def follow(store: AnomalyStore, log: Sequence[Recorded], size: int) -> None:
    one = worker(store)
    for batch in batches(log, size, one.checkpoint()):
        one.apply(batch)


def told(store: AnomalyStore) -> Told:
    filed = [(each.finding.id, each.action.value, each.finding.revocation_id) for each in store.findings()]
    commands = []
    while command := store.waiting():
        commands.append(command.finding_id)
        store.answered(command.finding_id, revocation_id="r")
    return filed, commands


@contextmanager
def killed_at(engine: Engine, statement: int) -> Iterator[None]:
    """The process dies before the nth statement, COMMIT included."""
    left = statement

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)
        event.remove(engine, "commit", count)


def killed_everywhere(engine: Engine, log: Sequence[Recorded], make: Callable[[], AnomalyStore], size: int) -> AnomalyStore:
    """Follow the log; each batch dies at its 1st statement, then at its 2nd, and so on, until it gets through."""
    store = make()
    for batch in batches(log, size):
        for statement in range(1, 100):
            if store.checkpoint() == batch.checkpoint:
                break  # it came through, or the process died after the commit: the reader goes on from here
            try:
                with killed_at(engine, statement):
                    worker(make()).apply(batch)
            except Killed:
                engine.dispose()  # a dead process's connections are closed; the database rolls back
    return store


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_batches_of_any_size(store: AnomalyStore, log: list[Recorded], expected: Told, size: int) -> None:
    follow(store, log, size)
    assert told(store) == expected


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("back", [1, 2, 5, 10])
def test_whatever_is_delivered_twice(store: AnomalyStore, log: list[Recorded], expected: Told, size: int, back: int) -> None:
    one = worker(store)
    for batch in batches(log, size):
        one.apply(batch)
        end = int(batch.checkpoint)
        again = tuple(log[max(0, end - back) : end])
        one.apply(Batch(again, batch.checkpoint))
    assert told(store) == expected


@pytest.mark.parametrize(("kind", "count"), [(AnomalyStore, 0), (Forgetful, 1)])
def test_an_old_record_that_comes_again_is_not_compared_with(
    engine: Engine, tables: AnomalyTables, kind: type[AnomalyStore], count: int
) -> None:
    story = SessionStory()
    first = story.issued("a", HOME)
    moved = story.refreshed("a", OFFICE)
    laptop = story.refreshed("a", replace(LAPTOP, ip=OFFICE.ip))
    store = kind(engine, tables)
    for place, record in enumerate((first, moved, first, laptop)):
        worker(store).apply(Batch((record,), Checkpoint(str(place))))
    assert len(store.findings()) == count


@pytest.mark.parametrize("size", [1, 5, 100])
def test_killed_before_any_statement(
    engine: Engine, tables: AnomalyTables, log: list[Recorded], expected: Told, size: int
) -> None:
    store = killed_everywhere(engine, log, lambda: AnomalyStore(engine, tables), size)
    assert told(store) == expected


@pytest.mark.parametrize("broken", [CheckpointFirst, OutboxLater])
def test_a_store_that_commits_in_two_steps_loses_something(
    engine: Engine, tables: AnomalyTables, log: list[Recorded], expected: Told, broken: type[AnomalyStore]
) -> None:
    store = killed_everywhere(engine, log, lambda: broken(engine, tables), 5)
    assert told(store) != expected


def test_a_worker_that_was_overtaken_writes_nothing(store: AnomalyStore, log: list[Recorded], expected: Told) -> None:
    follow(store, log, 100)
    empty = Effects(sessions=[], forgotten=(), findings=[], commands=[], time=0)
    assert not store.commit(empty, before=START, after=Checkpoint("1"))
    assert store.checkpoint() == str(len(log))
    assert told(store) == expected


def test_a_worker_that_is_always_overtaken_asks_to_be_called_again(
    engine: Engine, tables: AnomalyTables, log: list[Recorded]
) -> None:
    with pytest.raises(Contention):
        worker(AlwaysSlower(engine, tables)).apply(Batch(tuple(log), Checkpoint("10")))


def test_shadow_writes_down_and_asks_for_nothing(store: AnomalyStore, log: list[Recorded]) -> None:
    shadow = worker(store, Action.SHADOW)
    for batch in batches(log, 100):
        shadow.apply(batch)
    filed, commands = told(store)
    assert [action for _, action, _ in filed] == ["shadow", "shadow", "none"]
    assert commands == []


def test_a_known_finding_is_not_acted_on_when_the_setting_changes(store: AnomalyStore, log: list[Recorded]) -> None:
    for action in (Action.SHADOW, Action.END):
        worker(store, action).apply(Batch(tuple(log), Checkpoint("10")))
    assert told(store)[1] == []


def test_forgetting_blanks_findings_and_drops_state(store: AnomalyStore) -> None:
    story = SessionStory()
    story.issued("a", HOME)
    story.issued("b", HOME, "s2")
    story.refreshed("a", THIEF)
    story.refreshed("b", THIEF, "s2")
    story.forgotten("s1")
    follow(store, story.records, 2)
    assert [bool(each.finding.now.sealed) for each in store.findings()] == [False, True]
    assert [bool(each.finding.before and each.finding.before.sealed) for each in store.findings()] == [False, True]
    assert set(store.sessions(["a", "b"])) == {"b"}


def test_sessions_are_dropped_a_day_after_they_expire(engine: Engine, tables: AnomalyTables, store: AnomalyStore) -> None:
    story = SessionStory()
    story.issued("a", HOME)
    story.time += 7 * DAY
    story.issued("b", HOME)
    story.time += 2 * DAY
    story.issued("c", HOME)
    follow(store, story.records, 1)
    assert set(store.sessions(["a", "b", "c"])) == {"b", "c"}
    with read_connection(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.sessions)) == 2


def test_findings_are_paged_and_filtered(store: AnomalyStore, log: list[Recorded]) -> None:
    follow(store, log, 100)
    first, *rest = store.findings()
    assert store.findings(limit=1) == [first]
    assert store.findings(after=first.number) == rest
    assert [each.finding.sid for each in store.findings(sid="c")] == ["c"]

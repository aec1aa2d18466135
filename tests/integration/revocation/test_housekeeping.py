"""What the service forgets, what halts it, and what it does when its database was away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from kit.revocation_service import SAME_HOST, Issuer, opened
from sqlalchemy import Engine, text

from eventlog.errors import StoreUnavailable
from eventlog.port import Event
from eventlog.sql.sequencer import Sequencer
from rescind.events.revocation import RevocationMade
from rescind.events.session import SessionRevoked
from rescind.position import Position
from services.revocation.acks import Ack
from services.revocation.decisions.facts import UnreadableFact, event_of
from services.revocation.decisions.sources import Source
from services.revocation.errors import NameTaken, NotFound
from services.revocation.service import Revocation
from services.revocation.sql.ack_store import AckStore
from services.revocation.tending import Tending

FOREIGN = "https://keycloak.example"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def revocation(engine: Engine) -> Iterator[Revocation]:
    with opened(engine, replace(SAME_HOST, access_life=0), clock=Clock()) as found:
        yield found


def ended(sn: int) -> SessionRevoked:
    return SessionRevoked(revocation_id=f"r{sn}", sid=f"s{sn}", sn=sn, effect="end", reason="logout", by="user")


def project(revocation: Revocation) -> None:
    Sequencer(revocation.log).number()
    while revocation.projector.step():
        pass


def tend(revocation: Revocation, *, now: int) -> None:
    """As the projector calls it, with a memory of its own and a clock that we set."""
    state = revocation.projector._view.state
    sources = [replace(each, time=now) if each.own else each for each in revocation.sources.active()]
    tending = Tending(revocation.log, revocation.tables, access_life_ms=1_000)
    tending(state, [replace(each, time=now - 2_000) for each in sources], 0)
    tending(state, sources, now)
    project(revocation)


def test_what_the_issuer_has_applied_a_life_ago_is_dropped(revocation: Revocation) -> None:
    issuer = Issuer(revocation)
    issuer.send(ended(1), ended(2))
    project(revocation)
    assert len(revocation.projector.listed) == 2
    issuer.applied = Position(1, 2)  # the source's fact and the first revocation
    issuer.send()
    project(revocation)
    tend(revocation, now=issuer.now() + 20_000)
    assert len(revocation.projector.listed) == 1
    tend(revocation, now=issuer.now() + 40_000)  # nothing more to say
    assert [each.event.type for each in revocation.log.read_stream("list")] == ["list.horizon_moved.v1"]


def test_what_the_issuer_has_not_applied_stays(revocation: Revocation) -> None:
    issuer = Issuer(revocation)
    issuer.send(ended(1))
    project(revocation)
    tend(revocation, now=issuer.now() + 10**9)
    assert len(revocation.projector.listed) == 1


def test_another_issuers_sessions_are_kept_for_their_longest_life(revocation: Revocation) -> None:
    revocation.sources.add(Source(iss=FOREIGN, own=False, max_session_life=3_600), by="test")
    now = Issuer(revocation).now()
    fact = RevocationMade(
        revocation_id="f", target_type="session", iss=FOREIGN, target_id="s", effect="end", reason="admin", by="x", at=now
    )
    revocation.log.append("revocation-f", [event_of(fact, id="f", arrived=now)], expected_version=0)
    project(revocation)
    for passed, left in ((3_600_000, 1), (3_700_000, 0)):
        state = revocation.projector._view.state
        Tending(revocation.log, revocation.tables, access_life_ms=1_000)(state, revocation.sources.active(), now + passed)
        project(revocation)
        assert len(revocation.projector.listed) == left


def test_a_fact_that_cannot_be_read_halts_the_list_and_is_named(revocation: Revocation) -> None:
    issuer = Issuer(revocation)
    issuer.send(ended(1))
    project(revocation)
    before = revocation.serving()
    event = Event(id="odd", type="revocation.made.v9", time=1, data=b"{}")
    revocation.log.append("revocation-odd", [event], expected_version=0)
    issuer.send(ended(2))
    Sequencer(revocation.log).number()
    with pytest.raises(Exception, match=r"revocation\.made\.v9"):
        revocation.projector.run(threading.Event())
    assert "revocation.made.v9" in revocation.ready()["projector"]
    assert revocation.serving() == before  # nothing beyond it counts: the ages grow from here
    assert len(revocation.projector.listed) == 1


class Stopping(threading.Event):
    """Lets a loop run so many rounds."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds

    def is_set(self) -> bool:
        self.rounds -= 1
        return self.rounds < 0

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        return False


@dataclass
class Faulty:
    """The log, away for one read."""

    read_marked: Callable[..., object]
    failed: bool = False

    def __call__(self, after: Position, *, limit: int) -> object:
        if not self.failed:
            self.failed = True
            raise StoreUnavailable("the database does not answer")
        return self.read_marked(after, limit=limit)


@pytest.mark.parametrize(("older", "noticed"), [(False, True), (True, True), (True, False)])
def test_a_database_that_comes_back_older_is_another_history(revocation: Revocation, *, older: bool, noticed: bool) -> None:
    """Whether a connection broke meanwhile, or the pool replaced it and nobody noticed."""
    issuer = Issuer(revocation)
    issuer.send(ended(1), ended(2))
    project(revocation)
    assert revocation.projector.listed.position == Position(1, 3)
    if older:  # a standby that had not everything took over
        with revocation.log.engine.begin() as connection:
            connection.execute(text("DELETE FROM events WHERE seq > 2"))
            hash_ = connection.execute(text("SELECT hash FROM events WHERE seq = 2")).scalar_one()
            connection.execute(text("UPDATE log_head SET seq = 2, hash = :hash"), {"hash": hash_})
    log = revocation.projector._log
    if noticed:
        log.read_marked = Faulty(log.read_marked)  # type: ignore[method-assign, assignment]
    revocation.projector.run(Stopping(2))
    assert revocation.history.restoring is older
    assert revocation.log.head()[0].epoch == (2 if older else 1)
    project(revocation)
    assert len(revocation.projector.listed) == (1 if older else 2)


def test_a_log_that_was_tampered_with_halts_the_list(revocation: Revocation) -> None:
    issuer = Issuer(revocation)
    issuer.send(ended(1))
    project(revocation)
    issuer.send(ended(2))
    Sequencer(revocation.log).number()
    with revocation.log.engine.begin() as connection:
        connection.execute(text("UPDATE events SET time = time + 1 WHERE seq = 3"))
    with pytest.raises(UnreadableFact, match="chain"):
        revocation.projector.run(threading.Event())
    assert "chain" in revocation.ready()["projector"]
    assert not revocation.history.restoring


def test_one_name_one_verifier_and_every_process_hears_of_it(engine: Engine) -> None:
    with opened(engine) as one, opened(engine) as other:
        credential = one.verifiers.add("api")
        with pytest.raises(NameTaken):
            other.verifiers.add("api")
        assert other.verifiers.authenticate(credential) is None
        other.verifiers.load()
        assert other.verifiers.authenticate(credential) == "api"
        assert other.verifiers.authenticate(credential[:-1]) is None
        one.verifiers.remove("api")
        other.verifiers.load()
        assert other.verifiers.authenticate(credential) is None
        assert not other.verifiers.knows("api")
        with pytest.raises(NotFound):
            other.verifiers.remove("api")
        with engine.connect() as connection:
            assert credential not in str(connection.execute(text("SELECT * FROM verifiers")).all())


def acked(at: int, *reached: tuple[int, float], heard: float = 1_000.0, instance: str = "one") -> Ack:
    return Ack(
        verifier="api",
        instance=instance,
        at=Position(1, at),
        max_staleness=10_000,
        policy="strict",
        heard=heard,
        reached=tuple((Position(1, seq), when) for seq, when in reached),
    )


def test_the_first_moment_at_a_position_or_beyond_counts(revocation: Revocation) -> None:
    revocation.verifiers.add("api")
    clock = Clock(1_000.0)
    store = AckStore(revocation.log, revocation.tables, clock=clock)
    store.write([acked(5, (3, 700.0), (5, 900.0)), acked(4, instance="two")])
    store.write([acked(9, (5, 950.0), (9, 990.0))])  # told twice: the first stands
    now, _ = store.read()

    def before(position: Position) -> dict[str, int | None]:
        found = store.read(position)[1]
        return {each.heard.instance: None if each.applied is None else round((now - each.applied) / 50) for each in found}

    assert before(Position(1, 2)) == {"one": 6, "two": None}
    assert before(Position(1, 4)) == {"one": 2, "two": None}
    assert before(Position(1, 6)) == {"one": 0, "two": None}
    assert before(Position(2, 0)) == {"one": None, "two": None}
    assert [each.heard.at for each in store.read()[1]] == [Position(1, 9), Position(1, 4)]


def test_old_acknowledgements_and_silent_instances_are_forgotten(revocation: Revocation) -> None:
    revocation.verifiers.add("api")
    store = AckStore(revocation.log, revocation.tables, clock=Clock(100_000.0))
    store.write([acked(5, (5, 100.0), heard=100.0), acked(5, (5, 99_000.0), heard=99_000.0, instance="two")])
    store.forget(older_ms=50_000)
    assert [each.heard.instance for each in store.read()[1]] == ["two"]
    revocation.verifiers.remove("api")
    assert store.read()[1] == []

"""Guarantee 6: a database that was put back to an older state. The epoch rises, and no verifier accepts what it had refused."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from kit.revocation_service import ISS, KEY, SAME_HOST, Issuer, Served, opened, served
from kit.waiting import until
from sqlalchemy import MetaData

from eventlog.port import Checkpoint, Event
from eventlog.relay import Relay
from eventlog.sql.engine import open_engine
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from eventlog.sql.tables import log_tables
from rescind.claims import Claims
from rescind.events.registry import encode, may_touch_list
from rescind.events.revocation import RevocationMade
from rescind.events.session import SessionRevoked
from rescind.feed import Ack, Answer, FeedUnavailable, Stream
from rescind.follower import Follower
from rescind.http_feed import HttpFeed
from rescind.position import BEGINNING, Position
from services.revocation.decisions.facts import fact_of
from services.revocation.intake import DirectSink
from services.revocation.restoring import History
from services.revocation.service import Revocation
from services.revocation.sql.clock import database_now

SETTINGS = replace(SAME_HOST, refill_patience=60)


@dataclass
class Moving:
    """The service's address, behind which another process may answer, or nobody."""

    to: HttpFeed | None = None
    used: list[HttpFeed] = field(default_factory=list)

    def at(self, service: Served, credential: str) -> None:
        self.to = HttpFeed(service.url, credential)
        self.used.append(self.to)

    def close(self) -> None:
        for each in self.used:
            each.close()

    def open(self, after: Position | None, mark: str) -> Stream:
        return self._now().open(after, mark)

    def snapshot(self, url: str) -> bytes:
        return self._now().snapshot(url)

    def acknowledge(self, ack: Ack) -> Answer:
        return self._now().acknowledge(ack)

    def _now(self) -> HttpFeed:
        if self.to is None:
            raise FeedUnavailable("nobody is there")
        return self.to


@dataclass
class Log:
    """The issuer's log, with a relay to whichever revocation service there is."""

    log: SqlLog
    ticks: Iterator[int] = field(default_factory=lambda: itertools.count(0, 10))

    def revoke(self, sn: int) -> None:
        wire, data = encode(SessionRevoked(revocation_id=f"r{sn}", sid=f"s{sn}", sn=sn, effect="end", reason="logout", by="user"))
        with self.log.engine.connect() as connection:
            now = database_now(connection)
        event = Event(id=f"event{sn}", type=wire, time=now, data=data)
        self.log.append(f"session-s{sn}", [event], expected_version=0)
        Sequencer(self.log).number()

    def relay(self, revocation: Revocation) -> Relay:
        return Relay(
            self.log,
            DirectSink(revocation.intake, ISS),
            iss=ISS,
            cursor_name="express",
            carries=may_touch_list,
            applied=lambda: BEGINNING,
            live_sessions=lambda: 10,
            on_restored=lambda _: pytest.fail("the issuer's own log was not restored"),
            clock=lambda: float(next(self.ticks)),  # so that the cursor is saved every time
        )

    def tell(self, relay: Relay) -> None:
        for _ in range(2):  # a step that is refused learns from where to go on
            Sequencer(self.log).number()
            while relay.step():
                pass


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    engine = open_engine(f"sqlite:///{tmp_path}/issuer.db", schema="issuer")
    found = SqlLog(engine, log_tables(MetaData()), name="issuer")
    found.create()
    yield Log(found)
    engine.dispose()


@contextmanager
def running(path: Path, *, trusting: bool = False) -> Iterator[Served]:
    engine = open_engine(f"sqlite:///{path}", schema="revocation")
    try:
        with opened(engine, SETTINGS) as revocation:
            if trusting:
                revocation = replace(revocation, history=_as_trusting(revocation.history))  # noqa: PLW2901
            with served(revocation) as service:
                until(lambda: revocation.projector.standing is not None)
                yield service
    finally:
        engine.dispose()


class Trusting(History):
    """Broken: takes every position for its own, whatever its mark says."""

    def remembers(self, position: Position, mark: str) -> bool:  # noqa: ARG002
        return True


def _as_trusting(history: History) -> History:
    made = Trusting.__new__(Trusting)
    made.__dict__ = history.__dict__
    return made


@contextmanager
def following(feed: Moving) -> Iterator[Follower]:
    follower = Follower(feed, instance="one", jitter=lambda: 0.1)
    follower.start()
    try:
        yield follower
    finally:
        follower.close()


def back_up(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def token(name: str, sn: int) -> Claims:
    return Claims(
        iss=ISS, sub="alice", aud=("api",), exp=2**40, iat=1, jti="j", client_id="c", sid=name, sn=sn, cv=0, auth_time=1
    )


def refuses(follower: Follower, sn: int, name: str = "") -> bool:
    return follower.local.judge(token(name or f"s{sn}", sn)) is not None


def revoke_by_hand(service: Served, name: str) -> None:
    answer = service.post("/v1/revocations", {"target": {"type": "session", "id": name}, "reason": "admin"}, "revocations:write")
    assert answer.status_code == 201


def test_a_verifier_proves_that_the_database_was_restored(tmp_path: Path, log: Log) -> None:
    live, copy = tmp_path / "live.db", tmp_path / "restored.db"
    feed = Moving()
    with following(feed) as follower:
        with running(live) as service:
            credential = service.verifier()
            relay = log.relay(service.revocation)
            log.revoke(1)
            log.tell(relay)
            until(lambda: service.revocation.projector.listed.judge(token("s1", 1)) is not None)
            back_up(live, copy)
            feed.at(service, credential)
            log.revoke(2)
            log.tell(relay)
            revoke_by_hand(service, "by-hand")
            until(lambda: follower.local.position is not None)
            until(lambda: all([refuses(follower, 1), refuses(follower, 2), refuses(follower, 99, "by-hand")]))
            feed.to = None
        with running(copy) as service:
            assert service.revocation.projector.listed.judge(token("s2", 2)) is None  # an hour ago
            feed.at(service, credential)
            until(lambda: service.revocation.history.restoring)
            assert "revocation: history" in service.http.get("/readyz").json()["missing"]
            assert all([refuses(follower, 1), refuses(follower, 2), refuses(follower, 99, "by-hand")])
            relay = log.relay(service.revocation)
            log.tell(relay)  # sends again what is missing
            until(lambda: not service.revocation.history.restoring, timeout=20)
            until(lambda: follower.local.position is not None and follower.local.position.epoch == 2, timeout=20)
            assert all([refuses(follower, 1), refuses(follower, 2), refuses(follower, 99, "by-hand")])
            assert service.revocation.projector.listed.judge(token("s2", 2)) is not None
            assert service.revocation.log.head()[0].epoch == 2
            newcomer = Moving()
            newcomer.at(service, credential)
            with following(newcomer) as cold:  # one that remembers nothing has what the issuer's log gives back
                until(lambda: cold.local.position is not None)
                assert refuses(cold, 2)
                assert not refuses(cold, 3)


def test_a_source_proves_that_the_database_was_restored(tmp_path: Path, log: Log) -> None:
    live, copy = tmp_path / "live.db", tmp_path / "restored.db"
    with running(live) as service:
        relay = log.relay(service.revocation)
        log.revoke(1)
        log.tell(relay)
        back_up(live, copy)
        log.revoke(2)
        log.tell(relay)
    with running(copy) as service:
        relay = log.relay(service.revocation)  # its cursor is beyond what the service has
        log.tell(relay)
        until(lambda: service.revocation.projector.listed.judge(token("s2", 2)) is not None)
        assert service.revocation.log.head()[0].epoch == 2
        until(lambda: not service.revocation.history.restoring)


@pytest.mark.parametrize(("resaying", "followed"), [(True, True), (False, False)])
def test_what_was_revoked_before_the_restore_was_noticed_reaches_who_stood_beyond_it(
    tmp_path: Path, log: Log, *, resaying: bool, followed: bool
) -> None:
    """The issuer has applied 1.9 of the lost history; what is now 1.3 is said again, or it would never read it."""
    live, copy = tmp_path / "live.db", tmp_path / "restored.db"
    with running(live) as service:
        relay = log.relay(service.revocation)
        log.revoke(1)
        log.tell(relay)
        back_up(live, copy)
        for sn in range(2, 9):
            log.revoke(sn)
        log.tell(relay)
        until(lambda: service.revocation.projector.listed.judge(token("s8", 8)) is not None)
        applied = service.revocation.log.head()[0]
    with running(copy) as service:
        if not resaying:
            service.revocation.history._said, service.revocation.history._begin = True, lambda *_: _raise_only(service)  # type: ignore[method-assign]
        revoke_by_hand(service, "by-hand")
        log.tell(log.relay(service.revocation))
        until(lambda: service.revocation.projector.listed.position.epoch == 2)
        until(lambda: service.revocation.projector.listed.judge(token("s8", 8)) is not None)
        read = [fact_of(each) for each in service.revocation.log.read(Checkpoint(str(applied))).records]
        names = {fact.target_id for fact in read if isinstance(fact, RevocationMade)}
        assert ("by-hand" in names) is followed
        made = service.get("/v1/revocations", "revocations:read").json()["revocations"]
        assert [each["position"] for each in made if each["target"]["id"] == "by-hand"] == ["1.3"]


def _raise_only(service: Served) -> None:
    """Broken: the epoch rises, and nothing is said again."""
    service.revocation.log.raise_epoch()


def test_a_service_that_was_not_restored_keeps_its_epoch(tmp_path: Path, log: Log) -> None:
    """The control: the same restart and the same witnesses, with the database as it was."""
    live = tmp_path / "live.db"
    feed = Moving()
    with following(feed) as follower:
        with running(live) as service:
            credential = service.verifier()
            log.revoke(1)
            log.tell(log.relay(service.revocation))
            feed.at(service, credential)
            until(lambda: follower.local.position is not None and refuses(follower, 1))
            feed.to = None
        with running(live) as service:
            feed.at(service, credential)
            log.revoke(2)
            log.tell(log.relay(service.revocation))
            until(lambda: refuses(follower, 2))
            assert follower.local.position is not None
            assert follower.local.position.epoch == 1
            assert not service.revocation.history.restoring


@pytest.mark.parametrize(("trusting", "seen"), [(False, True), (True, False)])
def test_a_restored_log_that_grew_past_the_verifiers_position(tmp_path: Path, *, trusting: bool, seen: bool) -> None:
    """Without marks the verifier would go on by number, and never hear of what stands below it in the new history."""
    live, copy = tmp_path / "live.db", tmp_path / "restored.db"
    feed = Moving()
    with following(feed) as follower:
        with running(live) as service:
            credential = service.verifier()
            back_up(live, copy)
            feed.at(service, credential)
            until(lambda: follower.local.position is not None)
            for n in range(4):
                revoke_by_hand(service, f"old{n}")
            until(lambda: refuses(follower, 99, "old3"))
            feed.to = None
        with running(copy, trusting=trusting) as service:
            for n in range(8):
                revoke_by_hand(service, f"new{n}")
            feed.at(service, credential)
            until(lambda: service.revocation.history.restoring or refuses(follower, 99, "new7"), timeout=20)
            if seen:
                _refilled(service)
                until(lambda: refuses(follower, 99, "new7"), timeout=20)
            assert refuses(follower, 99, "new0") is seen
            assert refuses(follower, 99, "old3")


def _refilled(service: Served) -> None:
    """This service has one source, which has nothing to send: its watermark says so."""
    Issuer(service.revocation).send()
    until(lambda: not service.revocation.history.restoring)


def test_the_mark_key_stays_outside_the_database(tmp_path: Path) -> None:
    with running(tmp_path / "live.db") as service:
        revoke_by_hand(service, "a")
    assert all(KEY not in path.read_bytes() for path in tmp_path.iterdir())

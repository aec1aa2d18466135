"""The express road over real HTTP: a relay with a real log, the real revocation service, and what can befall a post."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace

import pytest
from kit.fault_proxy import FaultProxy, fault_proxy
from kit.issuing import PASSWORD
from kit.two_services import TwoServices
from kit.waiting import until

from eventlog.errors import EventLogError
from eventlog.port import Checkpoint, Event, Recorded
from eventlog.relay import PositionConflict, Post, Relay, Sink
from eventlog.source_mark import SourceMark
from eventlog.sql.engine import write_connection
from eventlog.sql.sequencer import Sequencer
from rescind.events.registry import encode, may_touch_list
from rescind.events.session import SessionRevoked
from rescind.position import BEGINNING, Position
from services.issuer.contexts import Login, RequestContext
from services.roads.errors import NoAnswer
from services.roads.express import ExpressSink
from services.roads.peer import Peer
from services.roads.wire import Wire

MARK = SourceMark(Position(1, 5), 0, BEGINNING, 3)


@dataclass
class Road:
    """An issuer whose people sign in and out, and its relay, which is stepped by hand."""

    apart: TwoServices
    sink: Sink

    def __post_init__(self) -> None:
        self.relay = self.new_relay()
        self.apart.issuer.subjects.create("alice", PASSWORD, ("read",), by="admin:test")

    def new_relay(self) -> Relay:
        issuer = self.apart.issuer
        return Relay(
            issuer.log,
            self.sink,
            iss=self.apart.iss,
            cursor_name="express",
            carries=may_touch_list,
            applied=issuer.following.applied,
            live_sessions=issuer.live_sessions,
            on_restored=self.restored,
            limit=4,
        )

    def restored(self, position: Position) -> None:
        self.apart.issuer.log.raise_epoch(above=position.epoch)

    def end_a_session(self) -> None:
        issuer = self.apart.issuer
        pair = issuer.sessions.sign_in(Login(username="alice", password=PASSWORD), RequestContext(known=False))
        issuer.sessions.logout(pair.refresh)
        Sequencer(issuer.log).number()

    def drain(self) -> None:
        """Step until all is told, as the loop does: trouble is no end."""

        def told() -> bool:
            with suppress(EventLogError):
                self.relay.step()
            return self.apart.revocation.intake.position(self.apart.iss) == self.apart.issuer.log.head()[0]

        until(told, timeout=30)

    def facts(self) -> list[str]:
        """The sessions that the revocation log says have ended."""
        Sequencer(self.apart.revocation.log).number()
        records = self.apart.revocation.log.read(limit=1000).records
        return [each.event.session for each in records if each.event.type == "revocation.made.v1"]


@pytest.fixture
def road(apart: TwoServices) -> Road:
    return Road(apart, ExpressSink(apart.to_revocation(apart.relay_token()), apart.iss))


def test_facts_and_watermark_arrive(road: Road) -> None:
    for _ in range(3):
        road.end_a_session()
    assert road.sink.position() is None
    road.drain()
    assert road.sink.position() == road.apart.issuer.log.head()[0]
    until(lambda: len(road.facts()) == 3)
    until(lambda: len(road.apart.revocation.projector.listed) == 3)


def test_a_relay_that_is_behind_or_ahead_goes_on_from_the_receiver(road: Road) -> None:
    road.end_a_session()
    road.drain()
    head = road.apart.issuer.log.head()[0]
    with pytest.raises(PositionConflict) as behind:
        road.sink.send(Post(road.apart.iss, BEGINNING, (), replace(MARK, position=Position(1, 1))))
    with pytest.raises(PositionConflict) as ahead:
        road.sink.send(Post(road.apart.iss, Position(1, 90), (), replace(MARK, position=Position(1, 91))))
    assert behind.value.position == ahead.value.position == head


def test_only_its_own_client_speaks_for_an_issuer(road: Road) -> None:
    other = road.apart.token(*road.apart.client("facts:write"), "facts:write")
    sink = ExpressSink(road.apart.to_revocation(other), road.apart.iss)
    with pytest.raises(NoAnswer, match="403 not_your_source"):
        sink.send(Post(road.apart.iss, BEGINNING, (), MARK))


def test_what_the_receiver_cannot_read_stops_the_road_and_is_not_skipped(road: Road) -> None:
    row = Recorded("s", 1, Event(id="e", type="session.revoked.v9", time=0), Position(1, 1))
    post = Post(road.apart.iss, BEGINNING, (row,), MARK)
    for _ in range(2):
        with pytest.raises(NoAnswer, match="answers 422 unreadable_fact"):
            road.sink.send(post)
    assert road.sink.position() is None


class Skips(ExpressSink):
    """Control: takes silence for consent."""

    def send(self, post: Post) -> Position:
        with suppress(NoAnswer):
            return ExpressSink.send(self, post)
        return post.mark.position


def interrupted(apart: TwoServices, kind: type[ExpressSink], fault: Callable[[FaultProxy], None]) -> list[str]:
    """Three sessions end, the second while the road is broken; which of them the list has got to know."""
    with fault_proxy(apart.revocation_url) as proxy, closing(Wire("it", proxy.url, patience_s=0.5)) as wire:
        road = Road(apart, kind(Peer(wire, apart.relay_token()), apart.iss))
        road.end_a_session()
        road.drain()
        fault(proxy)
        road.end_a_session()
        for _ in range(2):
            with suppress(NoAnswer):
                road.relay.step()
        proxy.release()
        road.end_a_session()
        road.drain()
    return road.facts()


def refuse(proxy: FaultProxy) -> None:
    proxy.reset(refuse=True)


@pytest.mark.parametrize("fault", [refuse, FaultProxy.black_hole, FaultProxy.buffer], ids=["refused", "silent", "unanswered"])
def test_a_road_that_breaks_loses_and_doubles_nothing(apart: TwoServices, fault: Callable[[FaultProxy], None]) -> None:
    facts = interrupted(apart, ExpressSink, fault)
    assert len(set(facts)) == len(facts) == 3
    assert apart.revocation.log.head()[0].epoch == 1


def test_control_the_receiver_notices_a_road_that_skips(apart: TwoServices) -> None:
    interrupted(apart, Skips, refuse)
    assert apart.revocation.log.head()[0].epoch > 1


def put_back(road: Road, to: Position, cursor: Position) -> None:
    """Make the issuer's log what it was at an earlier time."""
    log = road.apart.issuer.log
    hash_ = log.hash_at(to)
    events, head = log.tables.events, log.tables.head
    with write_connection(log.engine) as connection:
        connection.execute(events.delete().where(events.c.seq > to.seq))
        connection.execute(head.update().values(seq=to.seq, hash=hash_))
        log.set_cursor(connection, "express", Checkpoint(str(cursor)))


@pytest.mark.parametrize("since", [1, 2, 4])
def test_an_issuers_log_that_was_put_back_and_went_on_is_told_from_there(road: Road, since: int) -> None:
    """Whether it is still behind the receiver, just as far, or has outgrown it."""
    road.end_a_session()
    road.drain()
    first = road.apart.issuer.log.head()[0]
    for _ in range(2):
        road.end_a_session()
    road.drain()
    put_back(road, first, first)
    for _ in range(since):
        road.end_a_session()
    road.relay = road.new_relay()

    road.drain()

    assert road.apart.issuer.log.head()[0] == Position(2, 0)
    assert len(set(road.facts())) == len(road.facts()) == 3 + since
    assert road.apart.revocation.log.head()[0].epoch == 1  # not its database was put back


def test_while_the_road_is_closed_the_relay_waits_and_says_why(apart: TwoServices) -> None:
    """The running loop, with a service that is away and comes back."""
    stop = threading.Event()
    with fault_proxy(apart.revocation_url) as proxy, ThreadPoolExecutor() as pool:
        road = Road(apart, ExpressSink(apart.to_revocation(apart.relay_token(), url=proxy.url), apart.iss))
        proxy.reset(refuse=True)
        running = pool.submit(road.relay.run, stop)
        try:
            until(lambda: "times in a row" in road.relay.trouble)
            road.end_a_session()
            proxy.release()
            until(lambda: len(apart.revocation.projector.listed) == 1, timeout=30)
            until(lambda: road.relay.trouble == "")
        finally:
            stop.set()
        running.result(timeout=30)


def test_parts_arrive_as_one(road: Road) -> None:
    wire, data = encode(SessionRevoked(revocation_id="r", sid="s", sn=1, effect="end", reason="logout", by="user"))
    rows = tuple(Recorded("s", n, Event(id=str(n), type=wire, time=0, data=data), Position(1, n)) for n in range(1, 1201))
    mark = replace(MARK, position=Position(1, 1200))
    assert road.sink.send(Post(road.apart.iss, BEGINNING, rows, mark)) == road.sink.position() == Position(1, 1200)
    assert len(road.apart.revocation.log.read_stream("revocation-r")) == 1200

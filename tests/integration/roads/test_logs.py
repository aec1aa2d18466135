"""Logs of other services over HTTP: the way back into the issuer, and refills for Kafka's consumers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial

import pytest
from kit.fault_proxy import fault_proxy
from kit.issuing import PASSWORD
from kit.raw_server import HOLD, HTML, http_answer, raw_server
from kit.two_services import TwoServices
from kit.waiting import until

from eventlog.chain import GENESIS, link
from eventlog.port import START, Checkpoint, Event, Recorded
from eventlog.projecting import catch_up
from eventlog.row_json import row_json
from eventlog.sql.sequencer import Sequencer
from rescind.position import BEGINNING, Position
from rescind.vocabulary import Reason, TargetType
from services.issuer.contexts import Login, RequestContext
from services.issuer.errors import SessionSuspended
from services.issuer.views import Pair
from services.principal import Principal
from services.revocation.decisions.commands import MakeRevocation
from services.roads.errors import NoAnswer
from services.roads.peer import Peer
from services.roads.refill import REVOCATIONS, SESSIONS, LogRefill
from services.roads.revocation_log import RevocationLogFeed
from services.roads.service_token import Granted, ServiceToken
from services.roads.wire import Wire

ADMIN = Principal("admin", "admin", None, -1, frozenset({"admin"}))
A_TOKEN = ServiceToken(lambda: Granted("a-token", 900))


def replicator(apart: TwoServices) -> ServiceToken:
    return apart.token(apart.relay_id, apart.relay_secret, "log:replicate")


def sign_in(apart: TwoServices) -> Pair:
    with suppress(Exception):
        apart.issuer.subjects.create("alice", PASSWORD, ("read",), by="admin:test")
    return apart.issuer.sessions.sign_in(Login(username="alice", password=PASSWORD), RequestContext(known=False))


def revoke(apart: TwoServices, sid: str) -> None:
    wanted = MakeRevocation(target_type=TargetType.SESSION, target_id=sid, reason=Reason.COMPROMISED)
    apart.revocation.revocations.make(wanted, ADMIN)


def number(apart: TwoServices) -> None:
    """What was written has its positions."""
    for log in (apart.issuer.log, apart.revocation.log):
        Sequencer(log).number()


def test_the_way_back_ends_a_session_in_the_issuers_own_records(apart: TwoServices) -> None:
    feed, following = RevocationLogFeed(apart.to_revocation(replicator(apart))), apart.issuer.following
    pair = sign_in(apart)
    revoke(apart, pair.sid)
    number(apart)
    catch_up(feed, following, limit=1)
    assert following.applied() == apart.revocation.log.head()[0]
    with pytest.raises(SessionSuspended):
        apart.issuer.sessions.verify(pair.refresh)


@pytest.mark.parametrize("limit", [1, 2, 1000, 5000])
def test_rows_are_those_of_the_log_byte_for_byte(apart: TwoServices, limit: int) -> None:
    for _ in range(2):
        revoke(apart, sign_in(apart).sid)
    number(apart)
    token = replicator(apart)
    for refill, log in (
        (LogRefill(apart.to_issuer(token), SESSIONS), apart.issuer.log),
        (LogRefill(apart.to_revocation(token), REVOCATIONS), apart.revocation.log),
    ):
        expected, after = list(log.read(limit=1000).records), BEGINNING
        found: list[Recorded] = []
        assert any(each.event.personal for each in expected) is (log is apart.issuer.log)
        while rows := refill.records(after, limit):
            found += rows
            after = rows[-1].position or BEGINNING
        assert found == expected


def test_a_refill_over_an_ended_epoch(apart: TwoServices) -> None:
    sign_in(apart)
    number(apart)
    apart.issuer.log.raise_epoch()
    sign_in(apart)
    number(apart)
    refill = LogRefill(apart.to_issuer(replicator(apart)), SESSIONS)
    rows = refill.records(Position(1, 1), 1000)
    assert {each.position.epoch for each in rows if each.position} == {1, 2}
    assert refill.records(Position(1, 90), 1000)[0].position == Position(2, 1)


def test_waiting_ends_when_something_comes(apart: TwoServices) -> None:
    feed = RevocationLogFeed(apart.to_revocation(replicator(apart)))
    number(apart)
    head = apart.revocation.log.head()[0]
    assert feed.read(Checkpoint(str(head)), wait=0.05).records == ()
    revoke(apart, "sid")
    batch = feed.read(Checkpoint(str(head)), wait=10.0)
    assert batch.checkpoint == str(Position(head.epoch, head.seq + 1))


def caught_up(feed: RevocationLogFeed, apart: TwoServices) -> bool:
    """Try once; on a slow machine even a whole way may take longer than the patience."""
    with suppress(NoAnswer):
        catch_up(feed, apart.issuer.following)
    return apart.issuer.following.applied() == apart.revocation.log.head()[0]


@pytest.mark.parametrize("fault", ["reset", "black_hole", "buffer"])
def test_a_broken_way_goes_on_where_it_was(apart: TwoServices, fault: str) -> None:
    with fault_proxy(apart.revocation_url) as proxy, closing(Wire("it", proxy.url, patience_s=0.5)) as wire:
        feed = RevocationLogFeed(Peer(wire, replicator(apart)))
        pairs = [sign_in(apart) for _ in range(3)]
        for pair in pairs:
            revoke(apart, pair.sid)
            number(apart)
            getattr(proxy, fault)()
            with suppress(NoAnswer):
                catch_up(feed, apart.issuer.following)
            proxy.release()
        until(lambda: caught_up(feed, apart), timeout=30)
    for pair in pairs:
        with pytest.raises(SessionSuspended):
            apart.issuer.sessions.verify(pair.refresh)


def chained(*places: str) -> list[Recorded]:
    rows: list[Recorded] = []
    for number, place in enumerate(places, start=1):
        event = Event(id=f"e{number}", type="revocation.lifted.v1", time=number, data=b"{}", personal=b"p")
        row = Recorded("s", number, event, Position.parse(place))
        rows.append(replace(row, hash=link(rows[-1].hash if rows else GENESIS, row)))
    return rows


def said(rows: Sequence[Recorded]) -> bytes:
    return http_answer(json.dumps({"records": [row_json(each) for each in rows], "next": "9.9"}).encode())


@contextmanager
def asking(*answers: bytes) -> Iterator[Sequence[Callable[[], Sequence[Recorded]]]]:
    """The same question, by the feed and by a refill."""
    with raw_server(*answers) as server, closing(Wire("the log", server.url, patience_s=0.3)) as wire:
        peer = Peer(wire, A_TOKEN)
        yield (
            lambda: RevocationLogFeed(peer).read(Checkpoint("1.1")).records,
            partial(LogRefill(peer, SESSIONS).records, Position(1, 1), 500),
        )


LOG = chained("1.1", "1.2", "1.3", "2.1", "2.2")


def changed(at: int, **fields: object) -> list[Recorded]:
    rows = LOG[1:]
    rows[at] = replace(rows[at], event=replace(rows[at].event, **fields))  # type: ignore[arg-type]
    return rows


@pytest.mark.parametrize(
    "rows",
    [
        LOG,
        LOG[2:],
        [LOG[1], LOG[3]],
        [LOG[1], LOG[2], LOG[4]],
        [LOG[1], LOG[3], LOG[4]],
        [LOG[1], LOG[1]],
        LOG[:0:-1],
        [LOG[2]],
        changed(1, data=b"[]"),
        changed(1, time=9),
        changed(1, personal=b""),
        changed(2, type="revocation.made.v1"),
        [LOG[1], replace(LOG[2], hash=b"")],
        [LOG[1], replace(LOG[2], position=Position(1, 4))],
        [LOG[1], replace(LOG[2], version=9)],
    ],
    ids=[
        "older too",
        "begins late",
        "a gap over an epoch",
        "an epoch begins late",
        "an epoch ends early",
        "twice",
        "backwards",
        "one, late",
        "other data",
        "another time",
        "blanked",
        "another type",
        "no hash",
        "moved",
        "another version",
    ],
)
def test_rows_with_a_gap_or_a_change_are_no_answer(rows: list[Recorded]) -> None:
    with asking(said(rows)) as questions:
        for ask in questions:
            with pytest.raises(NoAnswer, match="rows that do not follow"):
                ask()


def test_control_rows_without_are_one() -> None:
    with asking(said(LOG[1:])) as questions:
        assert [list(ask()) for ask in questions] == [LOG[1:]] * 2


@pytest.mark.parametrize(
    "answer",
    [
        HTML,
        HOLD,
        b"",
        said(LOG[1:])[:-9],
        http_answer(b"{}"),
        http_answer(b'{"records":null}'),
        http_answer(b'{"records":{}}'),
        http_answer(b'{"records":[null]}'),
        http_answer(b'{"records":[{}]}'),
        http_answer(json.dumps({"records": [row_json(LOG[1]) | {"version": "2"}]}).encode()),
        http_answer(json.dumps({"records": [row_json(LOG[1]) | {"data": "e3"}]}).encode()),
        http_answer(json.dumps({"records": [row_json(LOG[1]) | {"position": "None"}]}).encode()),
        http_answer(b'{"records":[]}', status="206 Partial Content"),
        http_answer(b'{"code":"retry"}', status="503 Unavailable"),
        http_answer(b'{"code":"insufficient_scope"}', status="403 No"),
    ],
)
def test_what_are_no_rows_is_no_answer(answer: bytes) -> None:
    with asking(answer) as questions:
        for ask in questions:
            with pytest.raises(NoAnswer):
                ask()


def test_the_end_of_the_log_keeps_the_checkpoint() -> None:
    with raw_server(said([])) as server, closing(Wire("the log", server.url)) as wire:
        feed = RevocationLogFeed(Peer(wire, A_TOKEN))
        assert feed.read(Checkpoint("1.1")).checkpoint == "1.1"
        assert feed.read(START).checkpoint == START

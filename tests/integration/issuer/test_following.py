"""The way back: revocations from outside, in the issuer's own records."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from kit.issuing import HOME, ISS, PASSWORD, World, open_world
from sqlalchemy import Engine

from eventlog.port import Batch, Checkpoint, Event, Recorded
from rescind.claims import Claims
from rescind.events.registry import AnyEvent, encode
from rescind.events.revocation import HorizonMoved, RevocationLifted, RevocationMade
from rescind.events.session import SessionReinstated, SessionRevoked
from rescind.events.subject import SubjectReinstated, SubjectRevoked, SubjectScopesChanged
from rescind.position import BEGINNING, Position
from rescind.vocabulary import subject_name
from services.issuer.contexts import Login, NewClient, StartSession
from services.issuer.errors import InvalidToken, IssuerError, SessionEnded, SessionSuspended, StepUpRequired
from services.issuer.settings import DAY_S
from services.issuer.views import Pair, Subject


class Road:
    """The revocation log, as far as the issuer sees it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._seq = itertools.count(1)

    def tell(self, *facts: AnyEvent) -> Batch:
        batch = self.batch(*facts)
        self.world.issuer.following.apply(batch)
        return batch

    def batch(self, *facts: AnyEvent) -> Batch:
        records = []
        for fact in facts:
            seq = next(self._seq)
            wire, data = encode(fact)
            event = Event(id=f"e{seq}", type=wire, time=self.world.clock.ms, data=data)
            records.append(Recorded("list", seq, event, Position(1, seq)))
        return Batch(tuple(records), Checkpoint(f"1.{seq}"))

    def made(self, target_type: str, target_id: str, **changes: object) -> RevocationMade:
        told: dict[str, object] = {
            "revocation_id": f"rev-{target_type}",
            "target_type": target_type,
            "iss": ISS,
            "target_id": target_id,
            "effect": "end",
            "reason": "admin",
            "by": "client:c",
            "at": self.world.clock.ms,
            "liftable": True,
        }
        return RevocationMade(**(told | changes))  # type: ignore[arg-type]

    def lifted(self, revocation_id: str) -> RevocationLifted:
        return RevocationLifted(revocation_id=revocation_id, iss=ISS, by="client:c", at=self.world.clock.ms)


@pytest.fixture
def world(engine: Engine) -> World:
    return open_world(engine)


@pytest.fixture
def road(world: World) -> Road:
    return Road(world)


@pytest.fixture
def alice(world: World) -> Subject:
    return world.account()


def listed(subject: Subject) -> str:
    return subject_name(ISS, subject.sub)


def refused(world: World, pair: Pair) -> IssuerError:
    with pytest.raises(IssuerError) as caught:
        world.refresh(pair.refresh)
    return caught.value


@pytest.mark.usefixtures("alice")
def test_an_ended_session_is_suspended_and_lives_again_when_lifted(world: World, road: Road) -> None:
    pair, other = world.sign_in(), world.sign_in()
    road.tell(road.made("session", pair.sid))
    assert isinstance(refused(world, pair), SessionSuspended)
    assert getattr(world.issuer.access.check(pair.access), "reason", None) == "session_revoked"
    world.refresh(other.refresh)
    road.tell(road.lifted("rev-session"))
    assert world.refresh(pair.refresh).generation == 2
    answers = [each for each in world.events(sid=pair.sid) if isinstance(each, SessionRevoked | SessionReinstated)]
    assert [each.revocation_id for each in answers] == ["rev-session"] * 2
    assert isinstance(answers[0], SessionRevoked)
    assert answers[0].answers


@pytest.mark.usefixtures("alice")
def test_a_session_is_found_by_its_number(world: World, road: Road) -> None:
    pair = world.sign_in()
    road.tell(road.made("session", "", sn=1))
    assert isinstance(refused(world, pair), SessionSuspended)


def test_a_held_session_waits_for_its_step_up(world: World, road: Road, alice: Subject) -> None:
    pair = world.sign_in()
    road.tell(road.made("session", pair.sid, effect="hold", reason="anomaly"))
    error = refused(world, pair)
    assert isinstance(error, StepUpRequired)
    assert error.step_up_id == "rev-session"
    (view,) = world.issuer.sessions.of_subject(alice.id)
    assert view.held
    road.tell(road.made("session", pair.sid, revocation_id="failed", reason="step_up_failed", liftable=False))
    error = refused(world, pair)
    assert isinstance(error, SessionEnded)
    assert error.why == "step_up_failed"
    road.tell(road.lifted("rev-session"))
    assert isinstance(refused(world, pair), SessionEnded)


@pytest.mark.usefixtures("alice")
def test_logout_of_a_suspended_session_is_final(world: World, road: Road) -> None:
    pair = world.sign_in()
    road.tell(road.made("session", pair.sid))
    world.issuer.sessions.logout(pair.refresh)
    road.tell(road.lifted("rev-session"))
    error = refused(world, pair)
    assert isinstance(error, SessionEnded)
    assert error.why == "logout"


def test_after_the_window_a_suspended_session_is_over(world: World, road: Road, alice: Subject) -> None:
    pair = world.issuer.sessions.sign_in(Login(username="alice", password=PASSWORD, remember_me=True), HOME)
    road.tell(road.made("session", pair.sid))
    world.clock.pass_s(7 * DAY_S)
    assert isinstance(refused(world, pair), SessionEnded)
    assert world.issuer.sessions.of_subject(alice.id) == []


def test_a_subject_cut_by_time_is_answered_by_number(world: World, road: Road, alice: Subject) -> None:
    first, second = world.sign_in(), world.sign_in()
    cut = world.clock.ms // 1000
    world.clock.pass_s(1)
    newer = world.sign_in()
    road.tell(road.made("subject", listed(alice), cut_auth_time=cut))
    for pair in (first, second):
        assert isinstance(refused(world, pair), SessionSuspended)
    world.refresh(newer.refresh)
    (answer,) = [each for each in world.events() if isinstance(each, SubjectRevoked)]
    assert (answer.sn, answer.revocation_id, answer.answers, answer.name) == (2, "rev-subject", True, listed(alice))
    road.tell(road.lifted("rev-subject"))
    world.refresh(first.refresh)
    assert isinstance(world.events()[-2], SubjectReinstated)


def test_a_sign_in_after_the_revocation_lives_though_the_second_is_the_same(world: World, road: Road, alice: Subject) -> None:
    """The list refuses `auth_time` <= T in whole seconds; the issuer, once it knows, signs in after T."""
    cut = world.clock.ms // 1000
    road.tell(road.made("subject", listed(alice), cut_auth_time=cut))
    road.tell(road.made("issuer", ISS, cut_auth_time=cut + 1))
    pair = world.sign_in()
    claims = world.issuer.access.check(world.refresh(pair.refresh).access)
    assert isinstance(claims, Claims)
    assert claims.auth_time == cut + 2


def test_a_lift_leaves_an_older_cut(world: World, road: Road, alice: Subject) -> None:
    first = world.sign_in()
    road.tell(road.made("subject", listed(alice), revocation_id="older", cut_auth_time=world.clock.ms // 1000))
    world.clock.pass_s(1)
    second = world.sign_in()
    road.tell(road.made("subject", listed(alice), cut_auth_time=world.clock.ms // 1000))
    road.tell(road.lifted("rev-subject"))
    assert isinstance(refused(world, first), SessionSuspended)
    world.refresh(second.refresh)


def test_a_refresh_from_outside_is_answered_with_a_new_version(world: World, road: Road, alice: Subject) -> None:
    pair = world.sign_in()
    road.tell(road.made("subject", listed(alice), effect="refresh", iat=world.clock.ms // 1000))
    (answer,) = [each for each in world.events() if isinstance(each, SubjectScopesChanged)]
    assert (answer.cv, answer.scope, answer.answers) == (1, "read", True)
    assert getattr(world.issuer.access.check(pair.access), "reason", None) == "token_outdated"
    assert isinstance(world.issuer.access.check(world.refresh(pair.refresh).access), Claims)


@pytest.mark.usefixtures("alice")
def test_a_client_or_the_whole_issuer_is_cut_by_time(world: World, road: Road) -> None:
    client = world.client()
    own, shop = world.sign_in(), world.issuer.sessions.start(client, StartSession(subject="bob"), HOME)
    machine = world.issuer.clients.token(client, None)
    road.tell(road.made("client", client.id, cut_auth_time=world.clock.ms // 1000))
    assert isinstance(refused(world, shop), SessionSuspended)
    assert getattr(world.issuer.access.check(machine.token), "reason", None) == "session_revoked"
    own = world.refresh(own.refresh)
    road.tell(road.made("issuer", ISS, cut_auth_time=world.clock.ms // 1000))
    assert isinstance(refused(world, own), SessionSuspended)
    road.tell(road.lifted("rev-client"))
    assert isinstance(refused(world, shop), SessionSuspended)
    road.tell(road.lifted("rev-issuer"))
    world.refresh(shop.refresh)
    world.refresh(own.refresh)
    world.clock.pass_s(1)
    road.tell(road.made("issuer", ISS, revocation_id="again", cut_auth_time=world.clock.ms // 1000 - 1))
    world.refresh(world.sign_in().refresh)


def test_a_deleted_client_is_deleted_again_after_a_restore(world: World, road: Road) -> None:
    """The list still knows it. A client that was revoked from outside stays: that may be lifted."""
    client, secret = world.issuer.clients.create(NewClient(name="shop"), by="admin:test")
    road.tell(road.made("client", client.id, cut_auth_time=world.clock.ms // 1000))
    assert world.issuer.clients.authenticate(client.id, secret)
    road.tell(road.made("client", client.id, revocation_id="gone", cut_auth_time=world.clock.ms // 1000, liftable=False))
    assert world.issuer.clients.authenticate(client.id, secret) is None


@pytest.mark.usefixtures("alice")
def test_a_revoked_token_is_refused_and_its_session_lives(world: World, road: Road) -> None:
    pair = world.sign_in()
    claims = world.issuer.access.check(pair.access)
    assert isinstance(claims, Claims)
    road.tell(road.made("token", claims.jti))
    assert getattr(world.issuer.access.check(pair.access), "reason", None) == "token_revoked"
    with pytest.raises(InvalidToken):
        world.issuer.sessions.verify(pair.access)
    child = world.refresh(pair.refresh)
    world.issuer.sessions.logout(pair.access)  # still genuine
    assert isinstance(refused(world, child), SessionEnded)


@pytest.mark.parametrize("target", ["session", "subject", "token", "client", "issuer", "key"])
@pytest.mark.usefixtures("alice")
def test_other_issuers_and_unknown_targets_are_not_ours(world: World, road: Road, target: str) -> None:
    pair = world.sign_in()
    before = world.names()
    road.tell(road.made(target, pair.sid, iss="https://other.example", cut_auth_time=2**40))
    road.tell(road.made(target if target != "issuer" else "session", "unknown"))
    road.tell(road.lifted("unknown"), HorizonMoved(iss=ISS, epoch=1, seq=1, time=1))
    assert world.names() == before
    world.refresh(pair.refresh)


def test_our_own_facts_are_no_news(world: World, road: Road, alice: Subject) -> None:
    ended, kept = world.sign_in(), world.sign_in()
    world.issuer.sessions.logout(ended.refresh)
    world.issuer.sessions.end_many(alice.id, keep_sid=kept.sid, by="user")
    world.issuer.subjects.set_scopes(alice.sub, ("write",), by="admin:test")
    before = world.names()
    for event in world.events():
        match event:
            case SessionRevoked():
                road.tell(own(event, road.made("session", event.sid, sn=event.sn)))
            case SubjectRevoked():
                road.tell(own(event, road.made("subject", event.name, cut_sn=event.sn, cut_except=event.except_sn)))
            case SubjectScopesChanged():
                road.tell(own(event, road.made("subject", event.name, effect="refresh", cv=event.cv)))
    assert world.names() == before
    world.refresh(kept.refresh)


def own(event: SessionRevoked | SubjectRevoked | SubjectScopesChanged, fact: RevocationMade) -> RevocationMade:
    reason = "claims_changed" if isinstance(event, SubjectScopesChanged) else event.reason
    return replace(fact, revocation_id=event.revocation_id, reason=reason, liftable=False)


def test_after_a_restore_our_own_facts_are_news(world: World, road: Road, alice: Subject) -> None:
    """The database lost an hour: what the list remembers of us comes back, and claims versions go on above it."""
    first, second, third = (world.sign_in() for _ in range(3))
    road.tell(road.made("session", first.sid, reason="logout", liftable=False))
    assert isinstance(refused(world, first), SessionEnded)
    road.tell(road.made("subject", listed(alice), cut_sn=2, cut_except=-1, reason="password_changed", liftable=False))
    assert isinstance(refused(world, second), SessionEnded)
    road.tell(road.made("subject", listed(alice), revocation_id="scopes", effect="refresh", cv=41, reason="claims_changed"))
    third = world.refresh(third.refresh)
    claims = world.issuer.access.check(third.access)
    assert isinstance(claims, Claims)
    assert claims.cv == 41


def test_a_batch_told_twice_is_told_once(world: World, road: Road, alice: Subject) -> None:
    pair = world.sign_in()
    batch = road.tell(road.made("session", pair.sid), road.made("subject", listed(alice), cut_auth_time=2**33))
    before = world.names()
    world.issuer.following.apply(batch)
    assert world.names() == before


def test_the_checkpoint_is_behind_what_was_applied(world: World, road: Road) -> None:
    following = world.issuer.following
    assert (following.checkpoint(), following.applied()) == ("", BEGINNING)
    road.tell(road.made("session", "0" * 32))
    assert (following.checkpoint(), following.applied()) == ("1.1", Position(1, 1))
    tell: Callable[..., Batch] = road.tell
    tell(road.made("session", "0" * 32), road.lifted("x"))
    assert following.applied() == Position(1, 3)


def test_what_concerns_no_session_any_more_is_forgotten(world: World, road: Road, alice: Subject) -> None:
    pair = world.sign_in()
    cut = world.clock.ms // 1000
    targets = {"session": pair.sid, "subject": listed(alice), "token": "jti", "client": "c", "issuer": ISS}
    for target, target_id in targets.items():
        road.tell(road.made(target, target_id, cut_auth_time=cut if target in {"subject", "client", "issuer"} else -1))

    def kept() -> set[str]:
        world.issuer.sweeping.sweep()
        with world.issuer.store.reading() as unit:
            return {target for target in targets if unit.restrictions.find(f"rev-{target}")}

    assert kept() == set(targets)
    world.clock.pass_s(2 * DAY_S)
    assert kept() == set(targets) - {"token"}
    world.clock.pass_s(7 * DAY_S)
    assert kept() == {"client", "issuer"}
    world.clock.pass_s(90 * DAY_S)
    assert kept() == set()

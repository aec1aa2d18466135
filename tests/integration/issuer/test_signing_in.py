from collections.abc import Callable

import pytest
from kit.issuing import CHROME, HOME, PASSWORD, World, open_world, settings
from sqlalchemy import Engine

from rescind.claims import Claims
from rescind.events.subject import LoginFailed
from services.issuer.contexts import Login, LogQuery, RequestContext
from services.issuer.errors import Conflict, InvalidRequest, InvalidToken, NoActiveAccount, NotFound, SessionEnded, WrongPassword
from services.issuer.passwords import Passwords


@pytest.fixture
def world(engine: Engine) -> World:
    return open_world(engine)


def passwords(world: World) -> Passwords:
    return world.issuer.sessions.signing_in._passwords


def test_a_sign_in_gives_a_pair_that_is_accepted(world: World) -> None:
    subject = world.account()
    pair = world.sign_in()
    claims = world.issuer.access.check(pair.access)
    assert isinstance(claims, Claims)
    assert (claims.sub, claims.sid, claims.sn, claims.client_id) == (subject.sub, pair.sid, 1, "first-party")
    assert (claims.scope, claims.auth_time) == (frozenset({"read"}), world.clock.ms // 1000)
    assert pair.expires_in == 900
    world.issuer.sessions.verify(pair.refresh)
    assert world.names(sid=pair.sid) == ["TokenIssued"]


def test_every_failure_looks_alike_and_costs_the_same(world: World) -> None:
    world.account()
    world.issuer.subjects.disable(world.account("bob").sub, by="admin:test")
    calls = []
    for username, password in (
        ("alice", "wrong password"),
        ("nobody", PASSWORD),
        ("bob", PASSWORD),
        ("bob", "wrong"),
        ("\0", "x"),
    ):
        before = passwords(world).calls
        with pytest.raises(NoActiveAccount):
            world.sign_in(username, password=password)
        calls.append(passwords(world).calls - before)
    assert calls == [1] * 5
    before = passwords(world).calls
    world.sign_in()
    assert passwords(world).calls - before == 1


def test_failures_are_written_without_the_name(world: World) -> None:
    subject = world.account()
    for username in ("alice", "hunter2", "hunter2"):
        with pytest.raises(NoActiveAccount):
            world.sign_in(username, password="wrong password")
    failures = [each for each in world.records() if each.event.type == LoginFailed.wire]
    assert [each.event.subject for each in failures] == [subject.id, "", ""]
    known, *unknown = [each for each in world.events() if isinstance(each, LoginFailed)]
    assert (known.cause, known.name_mac) == ("wrong_password", "")
    assert {each.cause for each in unknown} == {"unknown"}
    assert unknown[0].name_mac == unknown[1].name_mac != ""
    assert not any(b"hunter2" in each.event.data + each.event.personal for each in failures)
    page = world.issuer.session_log.read(LogQuery(type="LoginFailed"), with_personal_for="admin:test")
    assert [each.personal and each.personal["ip"] for each in page.entries] == ["192.0.2.7"] * 3


def test_a_name_has_one_spelling_and_one_account(world: World) -> None:
    world.account("Alice")
    assert world.sign_in(" ALICE ").sid
    with pytest.raises(Conflict):
        world.account("alice")


@pytest.mark.parametrize(("username", "password"), [("", PASSWORD), ("alice", "short"), ("a\0b", PASSWORD)])
def test_a_bad_account_is_refused(world: World, username: str, password: str) -> None:
    with pytest.raises(InvalidRequest):
        world.issuer.subjects.create(username, password, (), by="admin:test")


def test_an_unknown_binding_and_a_long_device_name_are_refused(world: World) -> None:
    world.account()
    for login in (
        Login(username="alice", password=PASSWORD, bind_ip="sometimes"),
        Login(username="alice", password=PASSWORD, device_name="x" * 101),
    ):
        with pytest.raises(InvalidRequest):
            world.issuer.sessions.sign_in(login, HOME)


class Interrupted(Passwords):
    """Does something between the verification of a password and what follows from it."""

    def __init__(self, inner: Passwords, meanwhile: Callable[[], None]) -> None:
        self._inner = inner
        self._meanwhile: Callable[[], None] | None = meanwhile
        self.verified = 0

    def verify(self, stored: str | None, password: str) -> bool:
        fits = self._inner.verify(stored, password)
        self.verified += 1
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return fits

    def hash(self, password: str) -> str:
        return self._inner.hash(password)


def interrupt(world: World, meanwhile: Callable[[], None]) -> Interrupted:
    interrupted = Interrupted(passwords(world), meanwhile)
    world.issuer.sessions.signing_in._passwords = interrupted
    return interrupted


def test_a_sign_in_in_flight_does_not_survive_on_the_old_password(world: World) -> None:
    subject = world.account()
    interrupt(world, lambda: world.issuer.subjects.set_password(subject.sub, "another password", by="admin:test"))
    with pytest.raises(NoActiveAccount):
        world.sign_in()
    assert world.issuer.sessions.of_subject(subject.id) == []
    assert world.sign_in(password="another password").sid


def test_a_sign_in_in_flight_does_not_survive_a_disabling(world: World) -> None:
    subject = world.account()
    interrupt(world, lambda: world.issuer.subjects.disable(subject.sub, by="admin:test"))
    with pytest.raises(NoActiveAccount):
        world.sign_in()
    assert world.issuer.sessions.of_subject(subject.id) == []


def test_a_sign_in_in_flight_is_newer_than_a_sign_out_everywhere(world: World) -> None:
    """The password is still right: no second verification is needed, and the session counts as begun after."""
    subject = world.account()
    world.sign_in()
    interrupted = interrupt(world, lambda: ended.append(world.issuer.sessions.end_many(subject.id, keep_sid=None, by="user")))
    ended: list[int] = []
    pair = world.sign_in()
    assert ended == [1]
    assert interrupted.verified == 1
    world.issuer.sessions.verify(pair.access)


def test_two_password_changes_at_once_do_not_both_win(world: World) -> None:
    subject = world.account()
    interrupted = Interrupted(
        passwords(world), lambda: world.issuer.subjects.set_password(subject.sub, "the admin's choice", by="admin:test")
    )
    world.issuer.subjects._passwords = interrupted
    with pytest.raises(Conflict):
        world.issuer.subjects.change_password(subject.id, PASSWORD, "the owner's choice", current_sid=None, context=HOME)
    assert world.sign_in(password="the admin's choice").sid


def test_a_password_change_ends_every_other_session(world: World) -> None:
    subject = world.account()
    current, other = world.sign_in(), world.sign_in()
    world.issuer.subjects.change_password(subject.id, PASSWORD, "another password", current_sid=current.sid, context=HOME)
    world.refresh(current.refresh)
    with pytest.raises(SessionEnded) as caught:
        world.refresh(other.refresh)
    assert (caught.value.why, caught.value.at) == ("password_changed", world.clock.ms)
    with pytest.raises(NoActiveAccount):
        world.sign_in()
    assert "PasswordChanged" in world.names()


def test_a_password_change_ends_all_by_setting(engine: Engine) -> None:
    world = open_world(engine, settings=settings(password_change_ends_all=True))
    subject = world.account()
    current = world.sign_in()
    world.issuer.subjects.change_password(subject.id, PASSWORD, "another password", current_sid=current.sid, context=HOME)
    with pytest.raises(SessionEnded):
        world.refresh(current.refresh)


def test_the_old_password_is_asked_for(world: World) -> None:
    subject = world.account()
    with pytest.raises(WrongPassword):
        world.issuer.subjects.change_password(subject.id, "wrong password", "another password", current_sid=None, context=HOME)
    with pytest.raises(InvalidRequest):
        world.issuer.subjects.change_password(subject.id, PASSWORD, "short", current_sid=None, context=HOME)


def test_the_oldest_session_makes_room(engine: Engine) -> None:
    world = open_world(engine, settings=settings(session_limit=2))
    subject = world.account()
    first, second, third = world.sign_in(), world.sign_in(), world.sign_in()
    assert [each.sid for each in world.issuer.sessions.of_subject(subject.id)] == [third.sid, second.sid]
    with pytest.raises(SessionEnded) as caught:
        world.refresh(first.refresh)
    assert caught.value.why == "session_limit"


def test_devices_are_shown_named_and_ended_by_their_owner_alone(world: World) -> None:
    subject, stranger = world.account(), world.account("bob")
    login = Login(username="alice", password=PASSWORD, device_name="Laptop")
    pair = world.issuer.sessions.sign_in(login, RequestContext(ip="192.0.2.7", user_agent=CHROME))
    (view,) = world.issuer.sessions.of_subject(subject.id)
    assert (view.device_name, view.browser, view.os, view.ip) == ("Laptop", "Chrome", "Linux", "192.0.2.7")
    assert (view.created, view.last_seen, view.expires) == (world.clock.ms, world.clock.ms, pair.refresh_expires * 1000)
    world.issuer.sessions.rename(subject.id, pair.sid, "Work")
    assert world.issuer.sessions.of_subject(subject.id)[0].device_name == "Work"
    sessions = world.issuer.sessions
    with pytest.raises(NotFound):
        sessions.rename(stranger.id, pair.sid, "Mine")
    for owner, sid in ((stranger.id, pair.sid), (subject.id, "x' OR 1=1"), (subject.id, "0" * 32)):
        with pytest.raises(NotFound):
            sessions.end(owner, sid, by="user")
    world.issuer.sessions.end(subject.id, pair.sid, by="user")
    assert world.issuer.sessions.of_subject(subject.id) == []
    with pytest.raises(SessionEnded):
        world.issuer.sessions.verify(pair.refresh)


def test_signing_out_elsewhere_spares_one(world: World) -> None:
    subject = world.account()
    keep, *others = [world.sign_in() for _ in range(4)]
    assert world.issuer.sessions.end_many(subject.id, keep_sid=keep.sid, by="user") == 3
    world.issuer.sessions.verify(keep.access)
    for other in others:
        with pytest.raises(SessionEnded):
            world.issuer.sessions.verify(other.access)
    newer = world.sign_in()
    assert world.issuer.sessions.end_many(subject.id, keep_sid=newer.sid, by="user") == 1
    with pytest.raises(SessionEnded):
        world.issuer.sessions.verify(keep.refresh)
    assert world.issuer.sessions.end_many(subject.id, keep_sid=None, by="user") == 1
    before = world.names()
    assert world.issuer.sessions.end_many(subject.id, keep_sid=None, by="user") == 0
    assert world.issuer.sessions.end_many("nobody", keep_sid=None, by="user") == 0
    assert world.names() == before


def test_a_disabled_account_comes_back_without_its_sessions(world: World) -> None:
    subject = world.account()
    pair = world.sign_in()
    world.issuer.subjects.disable(subject.sub, by="admin:test")
    with pytest.raises(SessionEnded) as caught:
        world.refresh(pair.refresh)
    assert caught.value.why == "subject_disabled"
    world.issuer.subjects.enable(subject.sub, by="admin:test")
    with pytest.raises(SessionEnded):
        world.refresh(pair.refresh)
    world.issuer.sessions.verify(world.sign_in().access)


def test_changed_scopes_outdate_tokens_and_the_session_lives(world: World) -> None:
    subject = world.account()
    pair = world.sign_in()
    assert world.issuer.subjects.set_scopes(subject.sub, ("read", "write"), by="admin:test").scopes == {"read", "write"}
    with pytest.raises(InvalidToken):
        world.issuer.sessions.verify(pair.access)
    denied = world.issuer.access.check(pair.access)
    assert getattr(denied, "reason", None) == "token_outdated"
    renewed = world.refresh(pair.refresh)
    claims = world.issuer.access.check(renewed.access)
    assert isinstance(claims, Claims)
    assert claims.scope == {"read", "write"}

import pytest
from kit.issuing import HOME, World, open_world
from sqlalchemy import Engine

from rescind.claims import Claims
from rescind.errors import Denied
from rescind.events.administration import ClientDeleted, ClientSecretRotated
from services.issuer.contexts import NewClient, StartSession
from services.issuer.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    InvalidScope,
    InvalidToken,
    NotFound,
    SessionEnded,
    UnsupportedTokenType,
)
from services.issuer.views import Client, Pair


@pytest.fixture
def world(engine: Engine) -> World:
    return open_world(engine)


def start(world: World, client: Client, subject: str = "bob@example.org", **more: object) -> Pair:
    return world.issuer.sessions.start(client, StartSession(subject=subject, **more), HOME)  # type: ignore[arg-type]


def claims(world: World, access: str) -> Claims:
    found = world.issuer.access.check(access)
    assert isinstance(found, Claims), found
    return found


def test_a_secret_is_shown_once_and_stored_nowhere(world: World) -> None:
    client, secret = world.issuer.clients.create(NewClient(name="shop", scopes=("log:read",)), by="admin:test")
    assert world.issuer.clients.authenticate(client.id, secret) == client
    for client_id, wrong in ((client.id, secret + "x"), (client.id, ""), ("nobody", secret), ("first-party", ""), ("\0", "")):
        assert world.issuer.clients.authenticate(client_id, wrong) is None
    with world.issuer.store.reading() as unit:
        stored = unit.clients.find(client.id)
    assert stored is not None
    assert secret.encode() not in stored.secret


def test_a_machine_gets_a_token_of_its_own(world: World) -> None:
    client = world.client(scopes=("log:read", "introspect"))
    token = world.issuer.clients.token(client, None)
    assert (token.expires_in, token.scope) == (900, "introspect log:read")
    found = claims(world, token.token)
    assert (found.sub, found.client_id, found.sid) == (client.id, client.id, None)
    assert world.issuer.clients.token(client, "log:read").scope == "log:read"
    with pytest.raises(InvalidScope):
        world.issuer.clients.token(client, "keys:write")


def test_a_token_for_another_audience_is_not_for_us(world: World) -> None:
    client, _ = world.issuer.clients.create(NewClient(name="shop", audience="https://orders.example"), by="admin:test")
    denied = world.issuer.access.check(world.issuer.clients.token(client, None).token)
    assert getattr(denied, "reason", None) == "wrong_audience"


def test_a_client_with_an_audience_can_still_use_the_scopes_that_it_has_here(world: World) -> None:
    """Without that, no back end whose sessions are for its own services could start one."""
    shop = NewClient(name="shop", audience="shop-api", scopes=("sessions:write", "read"), grants=("read", "log:read"))
    client, _ = world.issuer.clients.create(shop, by="admin:test")

    assert claims(world, world.issuer.clients.token(client, None).token).aud == ("shop-api", "rescind")
    denied = world.issuer.access.check(world.issuer.clients.token(client, "read").token)
    assert getattr(denied, "reason", None) == "wrong_audience"

    assert claims(world, start(world, client, scopes=("log:read",)).access).aud == ("shop-api", "rescind")
    denied = world.issuer.access.check(start(world, client, scopes=("read",)).access)
    assert getattr(denied, "reason", None) == "wrong_audience"


def test_a_back_end_starts_sessions_for_its_own_subjects(world: World) -> None:
    client = world.client()
    pair = start(world, client, scopes=("cart",), claims={"tier": "gold"})
    found = claims(world, pair.access)
    assert (found.sub, found.client_id, found.scope) == ("bob@example.org", client.id, frozenset({"cart"}))
    assert found.raw["tier"] == "gold"
    child = world.refresh(pair.refresh, client_id=client.id)
    assert claims(world, child.access).raw["tier"] == "gold"
    assert start(world, client).sid != pair.sid
    assert world.issuer.subjects.find("bob@example.org").client_id == client.id
    assert not any(b"bob@example" in each.event.data for each in world.records())


def test_a_subject_belongs_to_the_client_that_first_named_it(world: World) -> None:
    own = world.account()
    first, second = world.client(), world.client()
    start(world, first)
    for client, subject in ((second, "bob@example.org"), (first, own.sub), (first, second.id), (first, "first-party")):
        with pytest.raises(Forbidden):
            start(world, client, subject)
    world.issuer.subjects.disable("bob@example.org", by="admin:test")
    with pytest.raises(Forbidden):
        start(world, first)


def test_grants_are_a_limit_and_our_own_scopes_never_come_by_default(world: World) -> None:
    client = world.client(grants=("cart", "log:read"))
    assert start(world, client).scope == "cart"
    assert start(world, client, scopes=("log:read",)).scope == "log:read"
    assert start(world, client, scopes=()).scope == ""
    with pytest.raises(InvalidScope):
        start(world, client, scopes=("admin",))


@pytest.mark.parametrize(
    "wrong", [{"claims": {"sub": "x"}}, {"claims": {"x": "y" * 3000}}, {"claims": {"x": float("nan")}}, {"bind_ip": "x"}]
)
def test_what_cannot_be_in_a_token_is_refused(world: World, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        start(world, world.client(), "bob", **wrong)


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\0b", "\ud800"])
def test_a_subject_is_printable(world: World, subject: str) -> None:
    with pytest.raises(InvalidRequest):
        start(world, world.client(), subject)


def test_changed_claims_outdate_tokens_of_that_session_alone(world: World) -> None:
    client = world.client()
    changed, other = start(world, client), start(world, client)
    world.issuer.sessions.change_claims(client, changed.sid, ("pay",), {"tier": "silver"})
    with pytest.raises(InvalidToken):
        world.issuer.sessions.verify(changed.access)
    claims(world, other.access)
    renewed = claims(world, world.refresh(changed.refresh).access)
    assert renewed.scope == {"pay"}
    assert renewed.raw["tier"] == "silver"
    world.issuer.sessions.change_claims(client, changed.sid, None, {})
    renewed = claims(world, world.refresh(changed.refresh).access)
    assert renewed.scope == {"pay"}
    assert "tier" not in renewed.raw


def test_versions_of_a_session_and_its_subject_are_one_order(world: World) -> None:
    """A session's change after its subject's, and the other way round: the newest token passes, every older one fails."""
    client = world.client()
    pair = start(world, client)
    accesses = [pair.access]
    for nth in range(3):
        world.issuer.sessions.change_claims(client, pair.sid, None, {"nth": nth})
        pair = world.refresh(pair.refresh)
        accesses.append(pair.access)
        other = start(world, client)
        world.issuer.sessions.change_claims(client, other.sid, None, {"nth": nth})
    versions = [parse_cv(world, access) for access in accesses]
    assert versions == sorted(set(versions))
    claims(world, accesses[-1])
    for old in accesses[:-1]:
        assert getattr(world.issuer.access.check(old), "reason", None) == "token_outdated"


def parse_cv(world: World, access: str) -> int:
    found = world.issuer.sessions.inspecting.claims(access, audience=None)
    assert isinstance(found, Claims)
    return found.cv


def test_claims_are_changed_by_the_sessions_client_while_it_lives(world: World) -> None:
    world.account()
    client, stranger = world.client(), world.client()
    pair = start(world, client)
    change = world.issuer.sessions.change_claims
    for who, sid in ((stranger, pair.sid), (client, world.sign_in().sid), (client, "nonsense"), (client, "0" * 32)):
        with pytest.raises(NotFound):
            change(who, sid, ("pay",), None)
    with pytest.raises(InvalidRequest):
        change(client, pair.sid, None, None)
    with pytest.raises(InvalidScope):
        change(client, pair.sid, ("admin",), None)
    world.issuer.sessions.logout(pair.refresh)
    with pytest.raises(NotFound):
        change(client, pair.sid, ("pay",), None)


def test_introspection_is_for_the_tokens_client_and_for_those_who_may(world: World) -> None:
    client, stranger = world.client(), world.client()
    asker = world.client(scopes=("introspect",))
    pair = start(world, client, scopes=("cart",), claims={"tier": "gold"})
    introspect = world.issuer.sessions.introspect
    access = introspect(pair.access, client)
    assert access is not None
    assert (access["active"], access["sub"], access["scope"], access["token_type"]) == (True, "bob@example.org", "cart", "Bearer")
    refresh = introspect(pair.refresh, asker)
    assert refresh is not None
    assert (refresh["token_type"], refresh["exp"], refresh["sid"]) == ("refresh_token", pair.refresh_expires, pair.sid)
    assert introspect(pair.access, stranger) is None
    assert introspect("rubbish", asker) is None
    world.refresh(pair.refresh)
    assert introspect(pair.refresh, asker) is None
    world.issuer.sessions.logout(pair.refresh)
    assert introspect(pair.access, asker) is None


def test_revoking_a_token_ends_its_session(world: World) -> None:
    client, stranger, admin = world.client(), world.client(), world.client(scopes=("admin",))
    revoke, verify = world.issuer.sessions.revoke, world.issuer.sessions.verify
    by_owner, by_admin = start(world, client), start(world, client)
    with pytest.raises(Forbidden):
        revoke(by_owner.refresh, stranger)
    verify(by_owner.access)
    revoke(by_owner.access, client)
    revoke(by_admin.refresh, admin)
    for pair in (by_owner, by_admin):
        with pytest.raises(SessionEnded):
            verify(pair.access)
    revoke(by_owner.refresh, client)
    revoke("rubbish", stranger)
    with pytest.raises(UnsupportedTokenType):
        revoke(world.issuer.clients.token(client, None).token, client)


@pytest.mark.parametrize("new", [NewClient(name=""), NewClient(name="x", scopes=("a b",)), NewClient(name="x", audience="a\0")])
def test_a_bad_client_is_refused(world: World, new: NewClient) -> None:
    with pytest.raises(InvalidRequest):
        world.issuer.clients.create(new, by="admin:test")


def test_a_rotated_secret_takes_the_place_of_the_old_one(world: World) -> None:
    clients = world.issuer.clients
    client, first = clients.create(NewClient(name="shop"), by="admin:test")
    second, _ = clients.rotate_secret(client.id, overlap=0, by="admin:test")
    assert clients.authenticate(client.id, first) is None
    assert clients.authenticate(client.id, second) == client
    third, until = clients.rotate_secret(client.id, overlap=60, by="admin:test")
    assert until == world.clock.ms + 60_000
    assert [clients.authenticate(client.id, each) for each in (first, second, third)] == [None, client, client]
    world.clock.pass_s(60)
    assert [clients.authenticate(client.id, each) for each in (second, third)] == [None, client]
    rotated = [each for each in world.events() if isinstance(each, ClientSecretRotated)]
    assert [each.previous_until for each in rotated] == [until - 60_000, until]
    assert not any(secret in str(world.events()) for secret in (first, second, third))


def test_a_deleted_client_and_all_that_it_began_are_refused_by_every_process(world: World, engine: Engine) -> None:
    client, secret = world.issuer.clients.create(NewClient(name="shop", scopes=("sessions:write",)), by="admin:test")
    kept = world.client()
    pair, other, machine = start(world, client), start(world, kept, "eve"), world.issuer.clients.token(client, None).token
    second = open_world(engine, clock=world.clock)
    assert second.issuer.clients.authenticate(client.id, secret), "it is known there before"
    world.issuer.clients.delete(client.id, by="admin:test")
    for each in (world, second):
        assert each.issuer.clients.authenticate(client.id, secret) is None
        for token in (machine, pair.access):
            assert isinstance(each.issuer.access.check(token), Denied)
        with pytest.raises(SessionEnded):
            each.refresh(pair.refresh, client_id=client.id)
    (deleted,) = [each for each in world.events() if isinstance(each, ClientDeleted)]
    assert (deleted.client_id, deleted.by) == (client.id, "admin:test")
    world.refresh(other.refresh, client_id=kept.id)
    with pytest.raises(NotFound):
        world.issuer.clients.delete(client.id, by="admin:test")


def test_the_built_in_client_stays(world: World) -> None:
    for change in (
        lambda: world.issuer.clients.delete("first-party", by="admin:test"),
        lambda: world.issuer.clients.rotate_secret("first-party", overlap=0, by="admin:test"),
    ):
        with pytest.raises(Conflict):
            change()
    with pytest.raises(NotFound):
        world.issuer.clients.rotate_secret("nobody", overlap=0, by="admin:test")


def test_clients_are_listed_by_their_ids(world: World) -> None:
    made = sorted(world.client().id for _ in range(3))
    listed = [each.client.id for each in world.issuer.clients.page("", 10)]
    assert listed == sorted([*made, "first-party"])
    assert [each.client.id for each in world.issuer.clients.page(listed[1], 2)] == listed[2:]

import pytest
from kit.issuing import ELSEWHERE, HOME, START, World, open_world, running, settings
from sqlalchemy import Engine

from rescind.errors import Denied
from rescind.events.session import RefreshTokenReused, SessionExpired, SessionRevoked, TokenReplayed
from services.issuer.contexts import NOWHERE, RequestContext
from services.issuer.errors import InvalidToken, SessionEnded
from services.issuer.networks import Networks
from services.issuer.settings import DAY_S


@pytest.fixture
def world(engine: Engine) -> World:
    opened = open_world(engine)
    opened.account()
    return opened


def dead_at_our_endpoints(world: World, access: str) -> bool:
    found = world.issuer.access.check(access)
    return isinstance(found, Denied) and found.reason == "session_revoked"


def test_a_refresh_always_rotates(world: World) -> None:
    first = world.sign_in()
    second = world.refresh(first.refresh)
    third = world.refresh(second.refresh)
    assert len({first.refresh, second.refresh, third.refresh}) == 3
    assert [each.generation for each in (first, second, third)] == [1, 2, 3]
    assert world.names(sid=first.sid) == ["TokenIssued", "TokenRefreshed", "TokenRefreshed"]


def test_a_lost_response_signs_nobody_out(world: World) -> None:
    first = world.sign_in()
    lost = world.refresh(first.refresh)
    world.clock.pass_s(20)
    again = world.refresh(first.refresh)
    assert again.refresh == lost.refresh
    assert again.access != lost.access
    assert world.refresh(again.refresh).generation == 3


def test_the_same_child_comes_back_after_both_keys_were_rotated(world: World) -> None:
    first = world.sign_in()
    child = world.refresh(first.refresh)
    for use in ("refresh", "access"):
        world.issuer.keys.rotate(use, by="admin:test")
    world.clock.pass_s(3600)
    assert world.refresh(first.refresh).refresh == child.refresh
    grandchild = world.refresh(child.refresh)
    assert grandchild.refresh.split(".")[0] != child.refresh.split(".")[0]  # the header: another kid
    world.issuer.sessions.verify(grandchild.access)


def test_another_process_derives_the_same_child(world: World, engine: Engine) -> None:
    first = world.sign_in()
    child = world.refresh(first.refresh)
    assert open_world(engine, clock=world.clock).refresh(first.refresh).refresh == child.refresh


def test_a_parent_presented_after_its_child_was_used_ends_that_family_alone(world: World) -> None:
    first, bystander = world.sign_in(), world.sign_in()
    thief = world.refresh(first.refresh)
    owner = world.refresh(thief.refresh)
    with pytest.raises(SessionEnded) as caught:
        world.refresh(first.refresh)
    assert caught.value.why == "refresh_reuse"
    assert dead_at_our_endpoints(world, thief.access)
    assert dead_at_our_endpoints(world, owner.access)
    with pytest.raises(SessionEnded):
        world.refresh(owner.refresh)
    world.refresh(bystander.refresh)
    reused, revoked = world.events(sid=first.sid)[-2:]
    assert isinstance(reused, RefreshTokenReused)
    assert isinstance(revoked, SessionRevoked)
    assert reused.revocation_id == revoked.revocation_id


def test_a_copy_on_another_device_is_noticed_at_once(world: World) -> None:
    first = world.sign_in()
    world.refresh(first.refresh, ELSEWHERE)
    with pytest.raises(SessionEnded):
        world.refresh(first.refresh, HOME)


def test_a_copied_store_is_noticed_within_three_refreshes(world: World) -> None:
    tokens = dict.fromkeys(("owner", "thief"), world.sign_in().refresh)
    for nth in range(20):
        who = ("owner", "thief")[nth % 2]
        world.clock.pass_s(300)
        try:
            tokens[who] = world.refresh(tokens[who]).refresh
        except SessionEnded:
            break
    assert nth < 6  # three refreshes of each


def test_a_client_that_ignores_new_tokens_keeps_working(world: World) -> None:
    first = world.sign_in()
    children = set()
    for _ in range(30):
        world.clock.pass_s(600)
        pair = world.refresh(first.refresh)
        children.add(pair.refresh)
        world.issuer.sessions.verify(pair.access)
    assert len(children) == 1
    late = [each.late for each in world.events(sid=first.sid) if isinstance(each, TokenReplayed)]
    assert late == [True] * 29


def test_a_known_other_network_is_late_within_the_window(engine: Engine) -> None:
    asns = {"192.0.2.7": {"autonomous_system_number": 64500}, "198.51.100.9": {"autonomous_system_number": 64501}}
    world = open_world(engine, networks=Networks(asns.get))
    world.account()
    first = world.sign_in()
    child = world.refresh(first.refresh)
    moved = RequestContext(ip="198.51.100.9", user_agent=HOME.user_agent, device=HOME.device)
    assert world.refresh(first.refresh, moved).refresh == child.refresh
    (replay,) = [each for each in world.events(sid=first.sid) if isinstance(each, TokenReplayed)]
    assert replay.late


def test_a_back_end_that_tells_nothing_is_recorded_as_unknown(world: World) -> None:
    first = world.sign_in()
    world.refresh(first.refresh, NOWHERE)
    assert getattr(world.events(sid=first.sid)[-1], "context_known", None) is False


def test_a_refresh_by_another_client_is_refused_and_changes_nothing(world: World) -> None:
    first = world.sign_in()
    with pytest.raises(InvalidToken):
        world.refresh(first.refresh, client_id="another")
    assert world.refresh(first.refresh, client_id="first-party").generation == 2


def test_a_token_of_a_session_that_never_was_is_rubbish(world: World) -> None:
    with pytest.raises(InvalidToken):
        world.refresh("rubbish")
    with pytest.raises(InvalidToken):
        world.refresh(world.sign_in().access)


@pytest.mark.parametrize(("ip", "device"), [("strict", "off"), ("off", "strict")])
def test_a_strictly_bound_session_ends_elsewhere(world: World, ip: str, device: str) -> None:
    pair = world.bound(ip=ip, device=device)
    with pytest.raises(SessionEnded) as caught:
        world.refresh(pair.refresh, ELSEWHERE)
    assert caught.value.why == "binding_mismatch"


def test_logout_is_final_and_idempotent_with_any_genuine_token(world: World) -> None:
    sessions = world.issuer.sessions
    first = world.sign_in()
    second = world.refresh(first.refresh)
    for token in (first.refresh, second.access, second.refresh):
        sessions.logout(token)
        with pytest.raises(SessionEnded) as caught:
            sessions.verify(second.refresh)
        assert caught.value.why == "logout"
    assert world.names(sid=first.sid).count("SessionRevoked") == 1
    for rubbish in ("", "rubbish", second.refresh + "=", second.access[:-4]):
        with pytest.raises(InvalidToken):
            sessions.logout(rubbish)


def test_verify_knows_superseded_and_expired(world: World) -> None:
    first = world.sign_in()
    world.refresh(first.refresh)
    with pytest.raises(InvalidToken) as superseded:
        world.issuer.sessions.verify(first.refresh)
    assert superseded.value.reason == "invalid"
    world.clock.pass_s(15 * 60 + 10)
    with pytest.raises(InvalidToken) as expired:
        world.issuer.sessions.verify(first.access)
    assert expired.value.reason == "expired"


def test_an_expired_session_is_noticed_at_a_refresh_once(world: World) -> None:
    pair = world.sign_in()
    world.clock.pass_s(7 * DAY_S)
    for _ in range(2):
        with pytest.raises(InvalidToken) as caught:
            world.refresh(pair.refresh)
        assert caught.value.reason == "expired"
    expired = [each for each in world.events(sid=pair.sid) if isinstance(each, SessionExpired)]
    assert [each.limit for each in expired] == ["refresh"]


def test_the_sweep_notices_what_nobody_presents_and_forgets_it_later(engine: Engine) -> None:
    world = open_world(engine, settings=settings(inactivity_limit=3600))
    world.account()
    idle, used = world.sign_in(), world.sign_in()
    world.clock.pass_s(3599)
    used = world.refresh(used.refresh)
    assert world.issuer.sweeping.sweep() == 0
    world.clock.pass_s(1)
    assert world.issuer.sweeping.sweep() == 1
    assert [getattr(each, "limit", None) for each in world.events(sid=idle.sid)][-1] == "inactivity"
    with pytest.raises(InvalidToken):
        world.refresh(idle.refresh)
    world.refresh(used.refresh)
    world.clock.pass_s(9 * DAY_S)
    assert world.issuer.sweeping.sweep() == 1
    with world.issuer.store.reading() as unit:
        assert unit.sessions.find(idle.sid) is None


def test_live_sessions_are_counted(world: World) -> None:
    pairs = [world.sign_in() for _ in range(3)]
    world.issuer.sessions.logout(pairs[0].refresh)
    world.clock.pass_s(6)
    assert world.issuer.live_sessions() == 2


def test_many_sessions_are_refreshed_in_few_transactions(world: World) -> None:
    """Group commit: what waits is decided together, one session's commands in turn."""
    pairs = [world.sign_in() for _ in range(5)]
    answers = [world.issuer.sessions.refresh(pair.refresh, HOME) for pair in pairs for _ in range(4)]
    refused = world.issuer.sessions.refresh("rubbish", HOME)
    assert world.issuer.sessions.committer.step() == 20
    children = [answer.result(0).refresh for answer in answers]
    assert len(set(children)) == 5
    with pytest.raises(InvalidToken):
        refused.result(0)


def test_the_loops_commit_and_stop(world: World) -> None:
    pair = world.sign_in()
    with running(world.issuer):
        pair = world.issuer.sessions.refresh(pair.refresh, HOME).result(30)
    assert world.issuer.sessions.refresh(pair.refresh, HOME).result(0).generation == 3


def test_times_are_the_clocks(world: World) -> None:
    assert all(each.event.time == START for each in world.records())

"""Ends against refreshes, checks and introspections that are in flight, in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from kit.issuing import HOME, World, open_world, running
from sqlalchemy import Engine

from rescind.events.session import SessionRevoked, TokenRefreshed, TokenReplayed
from rescind.events.subject import SubjectRevoked
from services.issuer.errors import SessionEnded
from services.issuer.views import Pair

THREADS = 3


@pytest.fixture
def world(engine: Engine) -> World:
    opened = open_world(engine)
    opened.account()
    return opened


def hammer(world: World, firsts: list[Pair], end: Callable[[], object]) -> list[Pair]:
    """Refresh and look, each session in a thread; end in the middle; what the threads hold when they were told."""
    held = list(firsts)
    asker = world.client(scopes=("introspect",))
    going = threading.Barrier(len(firsts) + 1)

    def work(nth: int) -> None:
        for turn in range(1000):
            try:
                held[nth] = world.issuer.sessions.refresh(held[nth].refresh, HOME).result(30)
            except SessionEnded:
                return
            world.issuer.sessions.introspect(held[nth].access, asker)
            world.issuer.access.check(held[nth].access)
            if turn == 1:
                going.wait(30)

    with running(world.issuer):
        threads = [threading.Thread(target=work, args=(nth,)) for nth in range(len(firsts))]
        for thread in threads:
            thread.start()
        going.wait(30)
        end()
        for thread in threads:
            thread.join()
    return held


@pytest.mark.parametrize("how", ["sign out everywhere", "password", "disable"])
def test_nothing_that_was_refreshed_meanwhile_survives(world: World, how: str) -> None:
    subject = world.issuer.subjects.find(world.account("bob").sub)
    firsts = [world.sign_in("bob") for _ in range(THREADS)]
    issuer = world.issuer
    ends: dict[str, Callable[[], object]] = {
        "sign out everywhere": lambda: issuer.sessions.end_many(subject.id, keep_sid=None, by="user"),
        "password": lambda: issuer.subjects.set_password(subject.sub, "another password", by="admin:test"),
        "disable": lambda: issuer.subjects.disable(subject.sub, by="admin:test"),
    }
    held = hammer(world, firsts, ends[how])
    for pair in held:
        assert getattr(issuer.access.check(pair.access), "reason", None) == "session_revoked"
        with pytest.raises(SessionEnded):
            world.refresh(pair.refresh)
    events = world.events()
    end = next(nth for nth, each in enumerate(events) if isinstance(each, SubjectRevoked))
    assert not [each for each in events[end:] if isinstance(each, TokenRefreshed | TokenReplayed)]


def test_a_logout_among_refreshes_leaves_row_refresh_and_introspection_agreeing(world: World) -> None:
    asker = world.client(scopes=("introspect",))
    pair = world.sign_in()
    (held,) = hammer(world, [pair], lambda: world.issuer.sessions.logout(pair.refresh))
    assert world.issuer.sessions.introspect(held.access, asker) is None
    assert world.issuer.sessions.introspect(held.refresh, asker) is None
    with pytest.raises(SessionEnded):
        world.refresh(held.refresh)
    with world.issuer.store.reading() as unit:
        row = unit.sessions.find(pair.sid)
    assert row is not None
    assert row.closed_why == "logout"
    assert [each for each in world.events(sid=pair.sid) if isinstance(each, SessionRevoked)] == world.events(sid=pair.sid)[-1:]

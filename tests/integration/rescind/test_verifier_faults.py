"""The whole verifier, with its shortest `max_staleness` of 5 seconds; the seconds pass on a clock that the test sets forward."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kit.fault_proxy import STREAM, FaultProxy, fault_proxy
from kit.feed_server import CREDENTIAL, ended
from kit.verifying import JumpingClock, Platform, platform, settled, verifier_for

from rescind import Claims, Denied, Verifier


@pytest.fixture
def world() -> Iterator[Platform]:
    with platform() as made:
        yield made


@pytest.fixture
def proxy(world: Platform) -> Iterator[FaultProxy]:
    with fault_proxy(world.feed.url) as proxy:
        yield proxy


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def verifier(world: Platform, proxy: FaultProxy, clock: JumpingClock) -> Iterator[Verifier]:
    with verifier_for(world, feed=proxy.url, clock=clock) as made:
        yield made


def said(answer: Claims | Denied) -> str:
    return answer.reason.value if isinstance(answer, Denied) else "accepted"


def test_a_cold_start_is_not_ready_on_any_route(world: Platform, proxy: FaultProxy) -> None:
    proxy.black_hole()
    verifier = Verifier(issuers=world.iss, audience="rescind", feed=proxy.url, credential=CREDENTIAL)
    assert not verifier.ready
    assert [said(verifier.verify(world.token(), policy=policy)) for policy in ("strict", "best_effort")] == ["not_ready"] * 2
    proxy.release()
    settled(verifier)
    assert said(verifier.verify(world.token())) == "accepted"
    verifier.close()


def test_eight_seconds_of_buffering_are_stale_and_what_comes_out_of_the_buffer_is_old(
    world: Platform, proxy: FaultProxy, clock: JumpingClock, verifier: Verifier
) -> None:
    token = world.token()
    assert said(verifier.verify(token)) == "accepted"
    proxy.buffer(STREAM)
    world.feed.publish(ended(1, world.iss))
    clock.ahead += 8_000
    assert said(verifier.verify(token)) == "stale"
    assert not verifier.ready
    assert said(verifier.verify(token, policy="best_effort")) == "accepted"
    assert verifier.metrics().accepted_stale == 1
    proxy.release()
    settled(verifier)
    assert said(verifier.verify(token)) == "session_revoked"
    assert said(verifier.verify(token, policy="best_effort")) == "session_revoked"


def test_it_resumes_after_the_list_moved_on(world: Platform, proxy: FaultProxy, verifier: Verifier) -> None:
    proxy.reset(refuse=True)
    for sn in (1, 2, 3):
        world.feed.publish(ended(sn, world.iss))
    world.feed.forget_deltas()
    proxy.release()
    world.feed.await_(lambda state: state.acks[-1]["at"] == "1.3")
    assert [said(verifier.verify(world.token(sn))) for sn in (1, 3, 4)] == ["session_revoked", "session_revoked", "accepted"]


def test_a_dead_projector_is_stale_for_its_issuer(world: Platform, clock: JumpingClock, verifier: Verifier) -> None:
    world.feed.freeze()
    clock.ahead += 5_001
    assert said(verifier.verify(world.token())) == "stale"
    assert verifier.staleness > 5

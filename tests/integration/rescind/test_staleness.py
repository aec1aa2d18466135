"""A verifier never accepts beyond the bound, and says that it is stale: over real sockets, with what goes wrong on them.

The bound is exact, not a matter of luck: what is accepted at t was judged by a list that was complete at t - MAX_STALENESS or
later, on one clock. So a session that was revoked at r is never accepted at a t > r + MAX_STALENESS, however slow the machine is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from kit.fault_proxy import ACK, STREAM, FaultProxy, fault_proxy
from kit.feed_server import ISS, FeedServer, ended, feed_server, lifted
from kit.probing import (
    MAX_STALENESS,
    SN,
    AnswerFreshness,
    FrameFreshness,
    Prober,
    Watched,
    accepted,
    following,
    past,
    revoked,
    stale,
)

from rescind.follower import Follower
from rescind.freshness import boot_clock
from rescind.http_feed import HttpFeed

BOUND_MS = MAX_STALENESS * 1000


@pytest.fixture
def service() -> Iterator[FeedServer]:
    with feed_server(beat=0.03) as server:
        yield server


@pytest.fixture
def proxy(service: FeedServer) -> Iterator[FaultProxy]:
    with fault_proxy(service.url) as proxy:
        yield proxy


@pytest.fixture
def follow(proxy: FaultProxy) -> Iterator[Callable[[Watched], Prober]]:
    with ExitStack() as stack:

        def start(freshness: Watched) -> Prober:
            return stack.enter_context(following(proxy.url, freshness))

        yield start


def broken(freshness: type[Watched]) -> object:
    return pytest.param(freshness, marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason="broken on purpose"))


def test_a_cold_start_accepts_nothing_before_the_list_is_there(
    service: FeedServer, proxy: FaultProxy, follow: Callable[[Watched], Prober]
) -> None:
    service.publish(ended(SN))
    proxy.black_hole()
    prober = follow(Watched())
    start = boot_clock()
    prober.until(past(start + BOUND_MS))
    proxy.release()
    prober.until(revoked)
    assert prober.accepted_after(start) == []


def test_a_cold_start_with_nobody_there_accepts_nothing() -> None:
    with feed_server() as server:
        gone = server.url
    with following(gone, Watched()) as prober:
        prober.until(past(boot_clock() + BOUND_MS))
        assert {probe.refused for probe in prober.probes} <= {"stale", "not_ready"}
        assert prober.follower.following().problem == "the revocation service cannot be reached"


def test_a_black_hole_is_noticed_by_silence_and_left_when_it_ends(service: FeedServer, proxy: FaultProxy) -> None:
    with following(proxy.url, Watched(), silence=1.0) as prober:
        prober.until(accepted)
        proxy.black_hole()
        service.publish(ended(SN))
        moment = boot_clock()
        prober.until(lambda _: "silent" in prober.follower.following().problem)
        prober.until(past(moment + BOUND_MS))
        assert stale(prober.ask())
        proxy.release()
        prober.until(revoked)
        assert prober.accepted_after(moment + BOUND_MS) == []


def test_it_resumes_where_it_was_after_a_cut(service: FeedServer, proxy: FaultProxy, follow: Callable[[Watched], Prober]) -> None:
    prober = follow(Watched())
    prober.until(accepted)
    proxy.reset(refuse=True)
    position = service.publish(ended(SN))
    moment = boot_clock()
    prober.until(stale)
    proxy.release()
    prober.until(revoked)
    assert prober.accepted_after(moment + BOUND_MS) == []
    assert service.state.opened == [None, f"{position.epoch}.{position.seq - 1}"]


def test_it_takes_a_snapshot_when_the_list_has_moved_on(
    service: FeedServer, proxy: FaultProxy, follow: Callable[[Watched], Prober]
) -> None:
    prober = follow(Watched())
    prober.until(accepted)
    proxy.reset(refuse=True)
    service.publish(ended(SN))
    service.publish(ended(SN + 1))
    service.forget_deltas()
    proxy.release()
    prober.until(revoked)
    service.publish(lifted(SN))
    prober.until(accepted)
    assert len(service.state.snapshots) == 2


@pytest.mark.parametrize("freshness", [Watched, broken(FrameFreshness)])
def test_a_buffered_stream_is_no_freshness(
    freshness: type[Watched], service: FeedServer, proxy: FaultProxy, follow: Callable[[Watched], Prober]
) -> None:
    """Heartbeats from before the revocation come out of the buffer long after it."""
    prober = follow(freshness())
    prober.until(accepted)
    proxy.buffer(STREAM)
    proxy.await_held(STREAM)
    service.state.lose_deltas = True  # the heartbeats go on; the delta stands behind them in the buffer
    service.publish(ended(SN))
    moment = boot_clock()
    prober.until(past(moment + 2 * BOUND_MS))
    released = boot_clock()
    proxy.release()
    prober.until_asked("read", after=released)
    service.state.lose_deltas = False
    assert prober.accepted_after(moment + BOUND_MS) == []
    assert any(map(stale, prober.probes))
    prober.until(revoked)


@pytest.mark.parametrize("freshness", [Watched, broken(AnswerFreshness)])
def test_a_buffered_answer_counts_from_the_question(
    freshness: type[Watched], service: FeedServer, proxy: FaultProxy, follow: Callable[[Watched], Prober]
) -> None:
    prober = follow(freshness())
    prober.until(accepted)
    proxy.buffer(ACK)
    proxy.await_held(ACK)  # asked before the revocation, answered long after
    proxy.buffer(STREAM)
    service.publish(ended(SN))
    moment = boot_clock()
    prober.until(past(moment + 1.5 * BOUND_MS))
    released = boot_clock()
    proxy.release(ACK)
    prober.until_asked("taken", after=released)
    assert prober.accepted_after(moment + BOUND_MS) == []
    proxy.release()
    prober.until(revoked)


def test_a_delay_within_the_bound_signs_nobody_out(proxy: FaultProxy, follow: Callable[[Watched], Prober]) -> None:
    proxy.delay(BOUND_MS / 8000)
    prober = follow(Watched())
    first = prober.until(accepted)
    prober.until(past(first.at + 3 * BOUND_MS))
    assert accepted(prober.until(accepted))


def test_a_dead_projector_behind_a_living_web_tier_is_stale(service: FeedServer, follow: Callable[[Watched], Prober]) -> None:
    prober = follow(Watched())
    prober.until(accepted)
    service.freeze()
    moment = boot_clock()
    prober.until(stale)
    prober.until(past(moment + 2 * BOUND_MS))
    assert prober.accepted_after(moment + BOUND_MS) == []


def test_a_source_that_the_service_does_not_know_is_never_fresh(service: FeedServer, follow: Callable[[Watched], Prober]) -> None:
    service.state.sources = {"https://another.test"}
    prober = follow(Watched())
    service.await_(lambda state: len(state.acks) > 3)
    assert not any(map(accepted, prober.probes))
    service.state.sources = {ISS}
    prober.until(accepted)


def test_a_higher_epoch_revives_nothing(service: FeedServer, follow: Callable[[Watched], Prober]) -> None:
    """The service was restored from before the revocation; it has forgotten, the verifier has not."""
    service.publish(ended(SN))
    prober = follow(Watched())
    prober.until(revoked)
    service.raise_epoch()
    moment = boot_clock()
    service.await_(lambda state: any(str(ack["at"]).startswith("2.") for ack in state.acks))
    position = service.publish(ended(SN + 1))
    service.await_(lambda state: state.acks[-1]["at"] == str(position))
    prober.until(revoked)
    assert prober.accepted_after(moment) == []
    service.publish(lifted(SN))
    prober.until(accepted)


def test_a_verifier_that_forgot_the_ended_epoch_would_revive_it(service: FeedServer, proxy: FaultProxy) -> None:
    """Negative control of the test above."""
    service.publish(ended(SN))
    with following(proxy.url, Watched(), keep=0.0) as prober:
        prober.until(revoked)
        service.raise_epoch()
        prober.until(accepted)


def test_a_wrong_digest_is_not_loaded(service: FeedServer, follow: Callable[[Watched], Prober]) -> None:
    service.state.wrong_digest = True
    prober = follow(Watched())
    service.await_(lambda state: len(state.opened) > 1)
    assert not accepted(prober.ask())
    service.state.wrong_digest = False
    prober.until(accepted)


def test_lost_deltas_behind_living_heartbeats_are_fetched_again(service: FeedServer, follow: Callable[[Watched], Prober]) -> None:
    prober = follow(Watched())
    prober.until(accepted)
    service.state.lose_deltas = True
    service.publish(ended(SN))
    service.await_(lambda state: len(state.opened) > 1)
    service.state.lose_deltas = False
    prober.until(revoked)


def test_a_refused_credential_is_named(service: FeedServer) -> None:
    follower = Follower(HttpFeed(service.url, "wrong"), instance="v-1", jitter=lambda: 0.01)
    follower.start()
    try:
        prober = Prober(follower, MAX_STALENESS)
        prober.until(lambda _: "credential" in follower.following().problem)
        assert not accepted(prober.ask())
        assert "wrong" not in follower.following().problem
    finally:
        follower.close()


def test_a_service_that_resolves_its_history_makes_verifiers_stale_and_is_taken_up_again(
    service: FeedServer, follow: Callable[[Watched], Prober]
) -> None:
    prober = follow(Watched())
    prober.until(accepted)
    service.state.refusing = 503
    prober.until(stale)
    service.state.refusing = 0
    prober.until(accepted)

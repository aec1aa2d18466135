"""Two roads from the issuer to the list: either suffices, and where neither speaks, verifiers go stale and are never wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from e2e.test_story import fresh_database
from kit.load import working
from kit.road_faults import (
    Fault,
    express_road_black,
    express_road_cut,
    kafka_dead,
    partition_paused,
    posts_swallowed,
    relay_dead,
    sequencer_stopped,
    swallow_a_fact,
    together,
)
from kit.scene import PATIENCE_S, Scene, scene
from kit.waiting import until
from kit.witness import MAX_STALENESS_S

from rescind.freshness import boot_clock

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Scene]:
    """Three brokers with one copy of each partition: one that is paused takes its partitions along, and no others."""
    with fresh_database(postgres_url) as database, scene(tmp_path_factory.mktemp("roads"), database, nodes=3) as made:
        yield made


@pytest.mark.parametrize("fault", [express_road_black, partition_paused, posts_swallowed])
def test_one_road_suffices(shown: Scene, fault: Fault) -> None:
    """For longer than a verifier may be stale. Kafka dead altogether: test_kafka_away.py."""
    shown.watch_anew()
    with working(shown.load()) as load, fault(shown):
        since = boot_clock()
        until(lambda: boot_clock() > since + 1200 * MAX_STALENESS_S, timeout=PATIENCE_S)
        shown.all_refused()
    shown.all_refused()
    assert load.failures == []
    assert load.cycles >= 10
    assert (shown.witness.stale, shown.witness.wrong) == ([], [])
    assert shown.witness.slowest_ms < 1000 * MAX_STALENESS_S
    shown.cluster.await_ready()
    shown.topic_says_what_the_log_says()


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param((express_road_cut, kafka_dead), id="both roads"),
        pytest.param((express_road_cut, partition_paused), id="express and one partition"),
        pytest.param((posts_swallowed, kafka_dead), id="posts swallowed and Kafka"),
        pytest.param((relay_dead,), id="relay"),
        pytest.param((sequencer_stopped,), id="sequencer"),
    ],
)
def test_where_nobody_speaks_verifiers_go_stale_and_are_never_wrong(shown: Scene, faults: tuple[Fault, ...]) -> None:
    """The controls of the test above, and of those in test_kafka_away.py. The lax verifier is the control of this one."""
    shown.watch_anew()
    with together(shown, faults):
        with working(shown.load()) as load:
            until(lambda: load.cycles >= 3, timeout=PATIENCE_S)
        until(lambda: bool(shown.witness.stale), timeout=PATIENCE_S)
        assert f"revocation: source {shown.cluster.iss}" in (shown.role("revocation").missing() or {})
        if partition_paused not in faults:  # the other partitions may have told it all
            until(lambda: bool(shown.lax.wrong), timeout=PATIENCE_S)
    shown.all_refused()
    shown.watch_anew()
    assert load.failures == []
    assert shown.witness.wrong == []
    shown.cluster.await_ready()
    shown.topic_says_what_the_log_says()


def test_one_fact_that_was_swallowed_is_told_again(shown: Scene) -> None:
    """The next post shows the receiver that something is missing: no watermark passes it, also while Kafka is dead."""
    shown.watch_anew()
    told = shown.road.told
    with kafka_dead(shown), working(shown.load()) as load:
        until(lambda: load.cycles >= 2, timeout=PATIENCE_S)
        swallow_a_fact(shown)
        until(lambda: shown.road.told > told, timeout=PATIENCE_S)
        until(lambda before=load.cycles: load.cycles >= before + 3, timeout=PATIENCE_S)  # type: ignore[misc]
        shown.all_refused()
    shown.all_refused()
    assert (load.failures, shown.witness.stale, shown.witness.wrong) == ([], [], [])

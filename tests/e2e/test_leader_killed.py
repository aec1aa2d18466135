"""Three brokers with their own default patience, and the leader of a partition is killed under load.

Revocations keep their latency by the express road; by Kafka alone they wait until it has found another leader. Both are printed.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress

import pytest
from e2e.test_story import fresh_database
from kafka.errors import KafkaError
from kit.kafka_broker import Node
from kit.kafka_log import leader
from kit.load import working
from kit.road_faults import express_road_cut
from kit.scene import PATIENCE_S, SESSIONS, Scene, scene
from kit.waiting import until
from kit.witness import Ended

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("leader")
    with fresh_database(postgres_url) as database, scene(folder, database, nodes=3, replication=3, settings={}) as made:
        yield made


@contextmanager
def leader_killed(scene: Scene) -> Iterator[None]:
    """Until it is forgotten: a killed broker may only come back then."""
    node = leader(scene.kafka, scene.settings, SESSIONS, 0)
    node.kill()
    until(lambda: _leads_no_more(scene, node), timeout=PATIENCE_S)
    yield
    node.start()


def _leads_no_more(scene: Scene, node: Node) -> bool:
    """While there is none, the other brokers may still send us to the dead one."""
    with suppress(KafkaError):
        return leader(scene.kafka, scene.settings, SESSIONS, 0) is not node
    return False


@pytest.mark.parametrize("road", ["both", "kafka"])
def test_a_leader_is_killed_under_load(shown: Scene, road: str) -> None:
    shown.watch_anew()
    with working(shown.load()) as load, express_road_cut(shown) if road == "kafka" else nullcontext():
        until(lambda: len(shown.witness.recent) >= 10, timeout=PATIENCE_S)
        quiet = len(shown.witness.recent)
        with leader_killed(shown):
            until(lambda: len(shown.witness.recent) >= quiet + 10, timeout=PATIENCE_S)
            shown.all_refused()
    shown.all_refused()
    before, during = shown.witness.recent[:quiet], shown.witness.recent[quiet:]
    for name, ended in (("before", before), ("while the leader is dead", during)):
        print(f"\nroad {road}, {name}: {_figures(ended)}")  # noqa: T201  (the figures are what this is for)
    assert (load.failures, shown.witness.wrong) == ([], [])
    assert road == "kafka" or shown.witness.stale == []
    shown.cluster.await_ready()
    shown.topic_says_what_the_log_says()


def _figures(ended: Sequence[Ended]) -> str:
    took = [each.took_ms for each in ended]
    return f"{len(took)} ended sessions refused after {statistics.median(took):.0f} ms, the slowest after {max(took):.0f} ms"

"""The cluster, two of each service on PostgreSQL and three brokers: started in any order, and killed under load."""

from __future__ import annotations

import io
import itertools
import json
import stat
import uuid
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from e2e.test_story import fresh_database
from kit.balancer import Balancer, balancer
from kit.cluster import ROLES, Cluster, Role, cluster, resource_servers
from kit.kafka_broker import QUICK, KafkaCluster, kafka_cluster
from kit.load import Load, working
from kit.scene import PARTITIONS, PATIENCE_S, SESSIONS
from kit.topic_audit import await_all_told
from kit.waiting import until
from kit.witness import Witness, witness

from demo.joining import add_verifier
from demo.screen import Screen
from demo.stage import Stage
from demo.story import CHAPTERS, heading, play
from eventlog.kafka.settings import KafkaSettings
from rescind import Claims, Denied
from rescind.errors import Denial

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(900)]
_MAX_STALENESS_MS = 10_000
_KILLS, _MOST_KILLS = 4, 12  # so many, and more until one has hit a request that was under way
_BEHIND = {"relay", "anomaly"}  # nobody asks them


@dataclass(frozen=True)
class Pairs:
    """Two of each. `issuers` and `revocations`: balancers in front of them."""

    cluster: Cluster
    kafka: KafkaCluster
    issuers: Balancer
    revocations: Balancer


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Pairs]:
    """Two processes of each service on three brokers, ready; they were started before there was anything that they need."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "kafka").mkdir()
    with (
        fresh_database(postgres_url) as database,
        kafka_cluster(folder / "kafka", 3, QUICK) as kafka,
        cluster(folder, database=database, kafka=kafka.bootstrap, each=2, partitions=PARTITIONS, replication=3) as made,
        balancer(*(role.url for role in made.of("issuer"))) as issuers,
        balancer(*(role.url for role in made.of("revocation"))) as revocations,
    ):
        made.start()
        for role in made.roles.values():
            until(lambda role=role: role.missing() is not None, timeout=PATIENCE_S)  # type: ignore[misc]
            assert list(role.missing() or {}) == [f"{role.name.partition('-')[0]}: start"]
        made.bootstrap()
        made.topics()
        made.await_ready()
        yield Pairs(made, kafka, issuers, revocations)


@pytest.fixture(scope="module")
def pair(pairs: Pairs) -> Cluster:
    return pairs.cluster


@contextmanager
def watching(pair: Cluster, feed: str) -> Iterator[Witness]:
    """A verifier of its own that follows this address, from its first fresh moment on."""
    credential = add_verifier(pair.stage(), f"witness-{uuid.uuid4().hex[:8]}")
    with witness(pair.iss, feed, credential) as made:
        until(lambda: made.verifier.ready, timeout=PATIENCE_S)
        made.stale.clear()
        yield made


@pytest.fixture
def stage(pair: Cluster) -> Iterator[Stage]:
    with resource_servers(pair) as made:
        yield made


def test_the_whole_story_holds_against_separate_processes(stage: Stage) -> None:
    heard: dict[str, str] = {}
    told = io.StringIO()
    play(stage, Screen(told), on_chapter=heard.__setitem__)
    assert heard == {heading(chapter): "" for chapter in CHAPTERS}, told.getvalue()


def test_bootstrap_again_changes_nothing(pair: Cluster) -> None:
    files = [path for path in pair.credentials.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    pair.bootstrap()
    pair.topics()
    assert {path: path.read_bytes() for path in files} == before
    told = json.loads((pair.credentials / "relay" / "credential.json").read_text("utf-8"))
    assert (told["iss"], set(told["keys"])) == (pair.iss, {"master"})


def ends(role: Role, headers: Mapping[str, str]) -> Counter[int]:
    """How many revocations the list's log has of each session number."""
    found: Counter[int] = Counter()
    after = "0.0"
    while (
        rows := httpx.get(f"{role.url}/v1/revocation-log", params={"after": after, "limit": 1000}, headers=headers, timeout=10)
        .raise_for_status()
        .json()["records"]
    ):
        made = [json.loads(b64decode(row["data"])) for row in rows if row["type"] == "revocation.made.v1"]
        found.update(each["sn"] for each in made if each.get("sn") is not None)
        after = rows[-1]["position"]
    return found


def age(role: Role, headers: Mapping[str, str]) -> float:
    """How old what it knows of the issuer's log is, in milliseconds."""
    found = httpx.get(f"{role.url}/v1/sources", headers=headers, timeout=10).raise_for_status().json()
    return max(float(each["age_ms"]) for each in found["sources"])


@pytest.mark.parametrize("service", ROLES)
def test_killed_again_and_again_under_load(pairs: Pairs, service: str) -> None:
    """SIGKILL of both processes in turn: what was acknowledged is there once in effect, and no verifier is ever stale."""
    pair = pairs.cluster
    with watching(pair, pairs.revocations.url) as seen:
        load = Load(pairs.issuers.url, pairs.revocations.url, pair.admin(), seen.end, patient=True)
        with working(load, people=5):
            for nth in itertools.count():
                role = pair.of(service)[nth % 2]
                until(lambda before=load.cycles: load.cycles >= before + 3, timeout=PATIENCE_S)  # type: ignore[misc]
                role.kill()
                until(lambda before=load.cycles: load.cycles >= before + 3, timeout=PATIENCE_S)  # type: ignore[misc]
                role.start()
                role.await_ready()
                if nth + 1 >= (_KILLS if load.unanswered or service in _BEHIND else _MOST_KILLS):
                    break
        until(lambda: seen.open == 0, timeout=PATIENCE_S)
        assert load.failures == []
        assert (seen.stale, seen.wrong) == ([], [])
    assert load.unanswered > 0 or service in _BEHIND, "no kill hit anything that was under way"
    counted = ends(pair.of("revocation")[0], pair.admin())
    assert {counted[_number(access)] for access in load.logged_out} == {1}
    for each in load.alive:
        answer = httpx.post(f"{pairs.issuers.url}/api/token/refresh/", json={"refresh": each.refresh}, timeout=10)
        assert answer.status_code == httpx.codes.OK, "an acknowledged refresh token is not good"
    await_all_told(pair.iss, pair.admin(), KafkaSettings(pairs.kafka.bootstrap), SESSIONS, timeout=PATIENCE_S)


def test_control_what_was_never_ended_is_not_counted(pairs: Pairs) -> None:
    """The control of the counts above: the session of who stays is in nobody's log."""
    pair = pairs.cluster
    load = Load(pairs.issuers.url, pairs.revocations.url, pair.admin())
    with working(load, people=1):
        until(lambda: load.cycles >= 2, timeout=PATIENCE_S)
    counted = ends(pair.of("revocation")[0], pair.admin())
    assert [counted[_number(each.access)] for each in load.alive] == [0]


@pytest.mark.parametrize("asked", [0, 1])
def test_a_wait_works_at_either_replica(pairs: Pairs, asked: int) -> None:
    """One verifier follows the first, one the second."""
    pair = pairs.cluster
    replicas = pair.of("revocation")
    with watching(pair, replicas[0].url) as first, watching(pair, replicas[1].url) as second:
        load = Load(pairs.issuers.url, pairs.revocations.url, pair.admin())
        with working(load, people=1):
            until(lambda: load.cycles >= 1, timeout=PATIENCE_S)
        (alive,) = load.alive
        assert isinstance(first.verifier.verify(alive.access), Claims)
        body = {"target": {"type": "session", "id": _claims(alive.access)["sid"]}, "reason": "admin", "wait": 20}
        made = httpx.post(f"{replicas[asked].url}/v1/revocations", json=body, headers=pair.admin(), timeout=30).raise_for_status()
        answers = [each.verifier.verify(alive.access) for each in (first, second)]
        assert [isinstance(each, Denied) and each.reason for each in answers] == [Denial.SESSION_REVOKED] * 2
        assert (made.json()["complete"], made.json()["pending"]) == (True, [])


def test_without_any_relay_the_source_is_named_and_control_of_the_ages(pair: Cluster) -> None:
    """The control of the test above: ages do grow when nobody speaks for the log any more, and /readyz says whose."""
    headers = pair.admin()
    relays, revocation = pair.of("relay"), pair.of("revocation")[0]
    for relay in relays:
        relay.kill()
    try:
        until(lambda: age(revocation, headers) > _MAX_STALENESS_MS, timeout=PATIENCE_S)
        assert f"revocation: source {pair.iss}" in (revocation.missing() or {})
    finally:
        for relay in relays:
            relay.start()
        for relay in relays:
            relay.await_ready()
    until(lambda: revocation.missing() == {}, timeout=PATIENCE_S)


def _claims(access: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(access, options={"verify_signature": False})
    return claims


def _number(access: str) -> int:
    return int(_claims(access)["sn"])

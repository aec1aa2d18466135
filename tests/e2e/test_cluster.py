"""The services as processes of their own, on PostgreSQL and Kafka: started in any order, and one of each killed."""

from __future__ import annotations

import io
import json
import stat
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest
from e2e.test_story import fresh_database
from kit.cluster import ROLES, Cluster, Role, cluster, resource_servers
from kit.waiting import until

from demo.screen import Screen
from demo.stage import Stage
from demo.story import CHAPTERS, heading, play

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(900)]
_WAIT_S = 90.0
_MAX_STALENESS_MS = 10_000
_PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, postgres_url: str, kafka_bootstrap: str) -> Iterator[Cluster]:
    """Two processes of each service, ready; they were started before there was anything that they need."""
    folder = tmp_path_factory.mktemp("cluster")
    with fresh_database(postgres_url) as database, cluster(folder, database=database, kafka=kafka_bootstrap, each=2) as made:
        made.start()
        for role in made.roles.values():
            until(lambda role=role: role.missing() is not None, timeout=_WAIT_S)  # type: ignore[misc]
            assert list(role.missing() or {}) == [f"{role.name.partition('-')[0]}: start"]
        made.bootstrap()
        made.topics()
        made.await_ready()
        yield made


@pytest.fixture
def stage(pair: Cluster) -> Iterator[Stage]:
    with resource_servers(pair) as made:
        yield made


def token(made: Cluster) -> Mapping[str, str]:
    found = made.stage()
    answer = httpx.post(
        f"{made.iss}/oauth/token", auth=(found.client_id, found.client_secret), data={"grant_type": "client_credentials"}
    )
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}


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
    assert (told["iss"], told["keys"]) == (pair.iss, {})


@dataclass(frozen=True)
class Person:
    """Signs in and out at one issuer process."""

    issuer: str
    username: str

    def sign_in(self) -> str:
        """The refresh token."""
        answer = httpx.post(f"{self.issuer}/api/token/", json={"username": self.username, "password": _PASSWORD}, timeout=10)
        return str(answer.raise_for_status().json()["refresh"])

    def log_out(self, refresh: str) -> None:
        httpx.post(f"{self.issuer}/api/token/logout/", json={"refresh": refresh}, timeout=10).raise_for_status()


def person(issuer: str, headers: Mapping[str, str]) -> Person:
    username = f"maya-{uuid.uuid4().hex[:8]}"
    asked = {"username": username, "password": _PASSWORD}
    httpx.post(f"{issuer}/v1/subjects", json=asked, headers=headers, timeout=10).raise_for_status()
    return Person(issuer, username)


def ended(role: Role, headers: Mapping[str, str]) -> list[str]:
    """The events that the list's log has got from the issuer: one for each session that ended."""
    found: list[str] = []
    after = "0.0"
    while (
        rows := httpx.get(f"{role.url}/v1/revocation-log", params={"after": after, "limit": 1000}, headers=headers, timeout=10)
        .raise_for_status()
        .json()["records"]
    ):
        found += [row["id"] for row in rows if row["type"] == "revocation.made.v1"]
        after = rows[-1]["position"]
    return found


def age(role: Role, headers: Mapping[str, str]) -> float:
    """How old what it knows of the issuer's log is, in milliseconds."""
    found = httpx.get(f"{role.url}/v1/sources", headers=headers, timeout=10).raise_for_status().json()
    return max(float(each["age_ms"]) for each in found["sources"])


def noted(ages: list[float], found: float) -> float:
    ages.append(found)
    return found


@pytest.mark.parametrize("service", ROLES)
def test_one_of_each_may_be_killed(pair: Cluster, service: str) -> None:
    """Nothing is lost or doubled, and no verifier that follows the other replica would be stale."""
    headers = token(pair)
    issuer, revocation = pair.of("issuer")[1], pair.of("revocation")[1]
    maya = person(issuer.url, headers)
    tokens = [maya.sign_in() for _ in range(6)]
    before = ended(revocation, headers)
    killed = pair.of(service)[0]
    ages: list[float] = []
    for number, refresh in enumerate(tokens):
        if number == 2:
            killed.kill()
        maya.log_out(refresh)
        ages.append(age(revocation, headers))
    try:
        until(lambda: len(ended(revocation, headers)) >= len(before) + len(tokens), timeout=_WAIT_S)
        until(lambda: noted(ages, age(revocation, headers)) < 4_000, timeout=_WAIT_S)
        after = ended(revocation, headers)
        assert (len(after), len(set(after))) == (len(before) + len(tokens), len(after))
        assert max(ages) < _MAX_STALENESS_MS
    finally:
        killed.start()
        killed.await_ready()


def test_without_any_relay_the_source_is_named_and_control_of_the_ages(pair: Cluster) -> None:
    """The control of the test above: ages do grow when nobody speaks for the log any more, and /readyz says whose."""
    headers = token(pair)
    relays, revocation = pair.of("relay"), pair.of("revocation")[0]
    for relay in relays:
        relay.kill()
    try:
        until(lambda: age(revocation, headers) > _MAX_STALENESS_MS, timeout=_WAIT_S)
        assert f"revocation: source {pair.iss}" in (revocation.missing() or {})
    finally:
        for relay in relays:
            relay.start()
        for relay in relays:
            relay.await_ready()
    until(lambda: revocation.missing() == {}, timeout=_WAIT_S)

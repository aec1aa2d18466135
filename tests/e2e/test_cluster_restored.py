"""A database of the cluster is put back to an older state: no verifier accepts what it had refused, no `sn` is given twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import jwt
import pytest
from e2e.test_story import fresh_database
from kit.cluster import Role
from kit.installation import Pair
from kit.load import Load, working
from kit.putting_back import back_up
from kit.scene import PATIENCE_S, Scene, scene
from kit.waiting import until
from kit.witness import Ended, Witness, witness

from demo.joining import add_verifier
from rescind import Claims
from rescind.freshness import boot_clock

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(600)]


@pytest.fixture
def shown(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Scene]:
    with fresh_database(postgres_url) as database, scene(tmp_path_factory.mktemp("restored"), database) as made:
        yield made


def some_cycles(scene: Scene, wanted: int = 6) -> Load:
    """Half of the sessions log out, half are revoked from outside; a few stay."""
    with working(scene.load()) as load:
        until(lambda: load.cycles >= wanted, timeout=PATIENCE_S)
    scene.all_refused()
    assert load.failures == []
    return load


def epoch(watching: Witness) -> int:
    position = watching.verifier.position
    return position.epoch if position else 0


@pytest.mark.parametrize("kafka", ["up", "away"])
def test_the_revocation_database_is_put_back(shown: Scene, kafka: str) -> None:
    """Also what was only ever said to the revocation service is refused again; with Kafka away, by the other witnesses."""
    some_cycles(shown)
    backup = back_up(shown.database, "revocation")
    alive = some_cycles(shown).alive
    revocation = shown.role("revocation")
    revocation.kill()
    backup.put_back()
    if kafka == "away":
        shown.kafka.nodes[0].kill()
    revocation.start()
    until(lambda: epoch(shown.witness) > 1, timeout=PATIENCE_S)
    if kafka == "away":
        until(lambda: shown.witness.verifier.ready, timeout=PATIENCE_S)
        shown.kafka.nodes[0].start()
    shown.cluster.await_ready()
    shown.watch_anew()
    assert shown.witness.wrong == []
    with newcomer(shown) as fresh:
        until(lambda: fresh.verifier.ready and fresh.open == 0, timeout=PATIENCE_S)
        assert all(isinstance(fresh.verifier.verify(pair.access), Claims) for pair in alive)
    some_cycles(shown)
    assert shown.witness.wrong == []


def test_control_without_a_witness_nobody_notices(shown: Scene) -> None:
    """Kafka and relay dead, and no verifier that ran before: then the old state serves as if nothing had been."""
    some_cycles(shown)
    backup = back_up(shown.database, "revocation")
    some_cycles(shown)
    for each in (shown.role("relay"), shown.role("anomaly"), shown.role("revocation")):
        each.kill()
    shown.witness.verifier.close()
    shown.kafka.nodes[0].kill()
    backup.put_back()
    shown.role("revocation").start()
    until(lambda: serves(shown.role("revocation")), timeout=PATIENCE_S)
    with newcomer(shown) as fresh:
        until(lambda: epoch(fresh) > 0, timeout=PATIENCE_S)
        assert epoch(fresh) == 1
        shown.role("relay").start()
        until(lambda: epoch(fresh) > 1, timeout=PATIENCE_S)


@pytest.mark.parametrize("witnesses", ["all", "kafka", "none"])
def test_the_issuer_database_is_put_back(shown: Scene, witnesses: str) -> None:
    """No `sn` is given twice, from the first sign-in on; also where nobody can say that it was put back."""
    stayed = some_cycles(shown).alive
    backup = back_up(shown.database, "issuer")
    stayed += some_cycles(shown).alive
    given = numbers(stayed) | numbers(shown.witness.ended)
    known = len(shown.witness.ended)
    for each in ("issuer", "relay") if witnesses == "all" else ("issuer", "relay", "revocation"):
        shown.role(each).kill()
    if witnesses == "none":
        shown.kafka.nodes[0].kill()
    backup.put_back()
    shown.role("issuer").start()
    shown.role("issuer").await_ready()
    with working(shown.load()) as load:
        until(lambda: len(shown.witness.ended) > known or bool(load.failures), timeout=PATIENCE_S)
    shown.role("relay").start()
    if witnesses != "all":
        shown.role("revocation").start()
    if witnesses == "none":
        shown.kafka.nodes[0].start()
    shown.cluster.await_ready()
    stayed = [*load.alive, *some_cycles(shown).alive]
    ended = shown.witness.ended[known:]
    since = numbers(stayed) | numbers(ended)
    assert len(since) == len(stayed) + len(ended)
    assert since & given == set()
    assert shown.witness.wrong == []


def numbers(sessions: Iterable[Pair | Ended]) -> set[int]:
    return {jwt.decode(each.access, options={"verify_signature": False})["sn"] for each in sessions}


def serves(revocation: Role) -> bool:
    """Though it may lack its issuer."""
    missing = revocation.missing()
    return missing is not None and not {"revocation: start", "revocation: list"} & missing.keys()


@contextmanager
def newcomer(scene: Scene) -> Iterator[Witness]:
    """A verifier that starts only now, and is asked about the same sessions."""
    name = f"newcomer-{uuid.uuid4().hex[:8]}"
    with witness(scene.cluster.iss, scene.role("revocation").url, add_verifier(scene.cluster.stage(), name)) as made:
        for each in scene.witness.ended:
            made.end(each.access, boot_clock())
        yield made

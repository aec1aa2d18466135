"""All issuer processes are dead: the relay speaks for their log, without them. Once it is dead, too, strict routes deny."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import httpx
import jwt
import pytest
from e2e.test_story import fresh_database
from kit.load import working
from kit.road_faults import kafka_dead, relay_dead
from kit.scene import PATIENCE_S, Scene, scene
from kit.waiting import until
from kit.witness import MAX_STALENESS_S

from rescind.freshness import boot_clock

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(600)]

_ACCESS_S = 10  # the least that the settings take
_LEEWAY_S = 30  # what the revocation service allows beside it


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Scene]:
    options = ("--access-ttl", str(_ACCESS_S))
    with fresh_database(postgres_url) as database, scene(tmp_path_factory.mktemp("dead"), database, options=options) as made:
        yield made


def test_the_relay_speaks_for_a_dead_issuer(shown: Scene) -> None:
    """For longer than what the issuer has signed is good: at the end by the express road alone."""
    shown.watch_anew()
    admin, issuer = shown.cluster.admin(), shown.role("issuer")
    with working(shown.load()) as load:
        until(lambda: load.cycles >= 3, timeout=PATIENCE_S)
    alive = load.alive[0].access
    issuer.kill()
    since = boot_clock()
    revoke(shown, alive, admin)
    shown.all_refused()
    until(lambda: boot_clock() > since + 1000 * (_ACCESS_S + _LEEWAY_S), timeout=PATIENCE_S)
    with kafka_dead(shown):
        alone = boot_clock()
        until(lambda: boot_clock() > alone + 1200 * MAX_STALENESS_S, timeout=PATIENCE_S)
        assert (shown.witness.stale, shown.witness.wrong) == ([], [])

    with relay_dead(shown):
        until(lambda: bool(shown.witness.stale), timeout=PATIENCE_S)
        until(lambda: ages(shown)[shown.cluster.iss] > 1000 * MAX_STALENESS_S, timeout=PATIENCE_S)
        assert f"revocation: source {shown.cluster.iss}" in (shown.role("revocation").missing() or {})
    issuer.start()
    shown.watch_anew()
    shown.cluster.await_ready()


def revoke(scene: Scene, access: str, headers: Mapping[str, str]) -> None:
    body = {"target": {"type": "session", "id": sid(access)}, "reason": "admin"}
    url = f"{scene.role('revocation').url}/v1/revocations"
    httpx.post(url, json=body, headers=headers, timeout=15).raise_for_status()
    scene.end(access, boot_clock())


def sid(access: str) -> str:
    return str(jwt.decode(access, options={"verify_signature": False})["sid"])


def ages(scene: Scene) -> dict[str, float]:
    """What the feed's next heartbeat says."""
    url, headers = f"{scene.role('revocation').url}/v1/feed", {"Authorization": f"Bearer {scene.credential}"}
    with httpx.stream("GET", url, headers=headers, timeout=15) as answer:
        lines = answer.iter_lines()
        for line in lines:
            if line == "event: heartbeat":
                found: dict[str, float] = json.loads(next(lines).removeprefix("data: "))["ages"]
                return found
    raise AssertionError("the feed ended")

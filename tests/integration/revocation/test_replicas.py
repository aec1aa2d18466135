"""Two processes of the service over one database: whoever asks either of them is told the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kit.revocation_service import ISS, Issuer, Served, bearer, opened, served
from kit.waiting import until
from sqlalchemy import Engine

from rescind.follower import Follower
from rescind.http_feed import HttpFeed

WRITE, READ = "revocations:write", "revocations:read"


@pytest.fixture
def replicas(engine: Engine) -> Iterator[tuple[Served, Served]]:
    with opened(engine) as one, opened(engine) as other, served(one) as first, served(other) as second:
        Issuer(one).send()
        until(lambda: all(each.projector.standing is not None for each in (one, other)))
        yield first, second


def test_a_wait_at_one_sees_what_was_acknowledged_at_the_other(replicas: tuple[Served, Served]) -> None:
    first, second = replicas
    follower = Follower(HttpFeed(first.url, first.verifier()), instance="one", jitter=lambda: 0.1)
    follower.start()
    try:
        until(lambda: follower.freshness.age_ms(ISS) < 10_000)
        until(lambda: bool(second.get("/v1/verifiers", "verifiers:read").json()["verifiers"][0]["instances"]))
        body = {"target": {"type": "session", "id": "s1"}, "reason": "admin", "wait": 20}
        made = second.post("/v1/revocations", body, WRITE).json()
        assert (made["complete"], made["pending"]) == (True, [])
        for each in replicas:
            (line,) = each.get(f"/v1/revocations/{made['id']}", READ).json()["verifiers"]
            assert line["applied"] is True
            assert 0 <= line["after_ms"] < 20_000
    finally:
        follower.close()


def test_both_hold_the_same_list_and_a_reader_may_change_between_them(replicas: tuple[Served, Served]) -> None:
    first, second = replicas
    credential = first.verifier()
    until(lambda: second.revocation.verifiers.knows("api"))
    for n in range(6):
        body = {"target": {"type": "session", "id": f"s{n}"}, "reason": "admin"}
        assert replicas[n % 2].post("/v1/revocations", body, WRITE).status_code == 201
    lists = [each.revocation.projector for each in replicas]
    until(lambda: lists[0].listed.position == lists[1].listed.position and len(lists[0].listed) == 6)
    assert lists[0].listed.digest() == lists[1].listed.digest()
    mark, position = lists[0]._mark(), lists[0].listed.position
    with second.http.stream(
        "GET", f"/v1/feed?after={position}&mark={mark}", headers={"Authorization": f"Bearer {credential}"}
    ) as answer:
        assert answer.status_code == 200
        assert next(answer.iter_lines()) == "event: heartbeat"  # no snapshot: it goes on where it stood


def test_a_verifier_decommissioned_at_one_is_cut_at_the_other(replicas: tuple[Served, Served]) -> None:
    first, second = replicas
    credential = first.verifier()
    until(lambda: second.revocation.verifiers.knows("api"))
    with second.http.stream("GET", "/v1/feed", headers={"Authorization": f"Bearer {credential}"}) as answer:
        assert first.http.delete("/v1/verifiers/api", headers=bearer("verifiers:write")).status_code == 204
        for _ in answer.iter_lines():
            pass  # it ends


def test_the_same_key_at_both_at_once_is_one_revocation(replicas: tuple[Served, Served]) -> None:
    body = {"target": {"type": "session", "id": "s1"}, "reason": "admin", "idempotency_key": "k"}
    assert len({each.post("/v1/revocations", body, WRITE).json()["id"] for each in replicas}) == 1
    assert len(replicas[0].get("/v1/revocations", READ).json()["revocations"]) == 1

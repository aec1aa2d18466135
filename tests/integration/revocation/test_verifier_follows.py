"""The SDK's follower against the real service: what is revoked dies there, the receipt says so, a lift revives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.revocation_service import ISS, SAME_HOST, Issuer, Served, opened, served
from kit.waiting import until

from eventlog.sql.engine import open_engine
from rescind.claims import Claims
from rescind.errors import Denial
from rescind.events.session import SessionRevoked
from rescind.events.subject import SubjectRevoked, SubjectScopesChanged
from rescind.follower import Follower
from rescind.http_feed import HttpFeed
from rescind.position import Position
from rescind.vocabulary import subject_name

WRITE, READ = "revocations:write", "revocations:read"
NAME = "carol@platform.example"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    engine = open_engine(f"sqlite:///{tmp_path}/revocation.db", schema="revocation")
    with opened(engine, SAME_HOST) as revocation, served(revocation) as found:
        Issuer(revocation).send()
        until(lambda: revocation.projector.standing is not None)
        yield found
    engine.dispose()


@contextmanager
def following(service: Served, name: str) -> Iterator[Follower]:
    follower = Follower(HttpFeed(service.url, service.verifier(name)), instance=f"{name}-1", jitter=lambda: 0.1)
    follower.start()
    try:
        until(lambda: follower.freshness.age_ms(ISS) < 10_000)
        until(lambda: bool(_instances(service, name)))
        yield follower
    finally:
        follower.close()


def _instances(service: Served, name: str) -> list[object]:
    fleet = service.get("/v1/verifiers", "verifiers:read").json()["verifiers"]
    return [instance for each in fleet if each["name"] == name for instance in each["instances"]]


def token(sn: int = 1, *, sub: str = NAME, iat: int = 10, cv: int = 0, auth_time: int = 10) -> Claims:
    return Claims(
        iss=ISS,
        sub=sub,
        aud=("api",),
        exp=2**40,
        iat=iat,
        jti=f"j{sn}",
        client_id="c",
        sid=f"s{sn}",
        sn=sn,
        cv=cv,
        auth_time=auth_time,
    )


def revoke(service: Served, kind: str, name: str, **more: object) -> dict[str, object]:
    answer = service.post("/v1/revocations", {"target": {"type": kind, "id": name}, "reason": "admin", "wait": 20, **more}, WRITE)
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    assert (found["complete"], found["pending"]) == (True, [])
    return found


def denial(follower: Follower, claims: Claims) -> Denial | None:
    denied = follower.local.judge(claims)
    return denied.reason if denied else None


def test_when_the_wait_is_over_every_verifier_refuses_it_and_the_receipt_proves_it(service: Served) -> None:
    with following(service, "orders") as orders, following(service, "billing") as billing:
        made = revoke(service, "session", "s1")
        assert [denial(each, token(1)) for each in (orders, billing)] == [Denial.SESSION_REVOKED] * 2
        receipt = service.get(f"/v1/revocations/{made['id']}", READ).json()
        assert receipt["complete"] is True
        lines = {line["name"]: line for line in receipt["verifiers"]}
        assert lines.keys() == {"orders", "billing"}
        for line in lines.values():
            assert (line["applied"], line["state"], line["joined_later"]) == (True, "live", False)
            assert 0 <= line["after_ms"] < 20_000
        service.post(f"/v1/revocations/{made['id']}/lift", {}, WRITE)
        until(lambda: not any(denial(each, token(1)) for each in (orders, billing)))


def test_a_caller_may_pin_a_request_to_its_own_revocation(service: Served) -> None:
    with following(service, "orders") as orders:
        made = service.post("/v1/revocations", {"target": {"type": "session", "id": "s1"}, "reason": "admin"}, WRITE).json()
        assert orders.wait_for(Position.parse(made["position"]), 5.0)
        assert denial(orders, token(1)) is Denial.SESSION_REVOKED


def test_what_the_issuer_ends_dies_too_and_a_snapshot_says_the_same(service: Served) -> None:
    with following(service, "orders") as orders:
        issuer = Issuer(service.revocation, head=Position(2, 0))
        issuer.send(SessionRevoked(revocation_id="r", sid="s1", sn=1, effect="end", reason="logout", by="user"))
        until(lambda: denial(orders, token(1)) is Denial.SESSION_REVOKED)
    with following(service, "late") as late:
        assert denial(late, token(1)) is Denial.SESSION_REVOKED
        assert denial(late, token(2)) is None


def test_a_subject_by_its_platforms_name(service: Served, tmp_path: Path) -> None:
    """Guarantee 7, the list's half: revoked from outside, answered by the issuer, lifted, revoked by the issuer."""
    issuer = Issuer(service.revocation, head=Position(2, 0))
    name = subject_name(ISS, NAME)
    now_s = issuer.now() // 1000
    new = token(9, auth_time=now_s + 60)

    def by_issuer(revocation_id: str, sn: int, *, answers: bool, except_sn: int = -1) -> SubjectRevoked:
        return SubjectRevoked(
            revocation_id=revocation_id,
            name=name,
            sn=sn,
            except_sn=except_sn,
            effect="end",
            reason="admin" if answers else "password_changed",
            by="user",
            answers=answers,
        )

    with following(service, "orders") as orders:
        made = revoke(service, "subject", NAME)
        assert denial(orders, token(1, auth_time=now_s)) is Denial.SESSION_REVOKED
        assert denial(orders, new) is None
        issuer.send(by_issuer(str(made["id"]), 5, answers=True))
        until(lambda: denial(orders, token(5, auth_time=now_s + 60)) is Denial.SESSION_REVOKED)
        service.post(f"/v1/revocations/{made['id']}/lift", {}, WRITE)
        until(lambda: denial(orders, token(1)) is None)
        issuer.send(by_issuer(str(made["id"]), 7, answers=True))  # a part that arrives after the lift
        issuer.send(by_issuer("own", 3, answers=False, except_sn=2))
        until(lambda: denial(orders, token(3)) is Denial.SESSION_REVOKED)
        assert [denial(orders, token(sn)) for sn in (1, 2, 4)] == [Denial.SESSION_REVOKED, None, None]
        assert denial(orders, token(1, sub="dave")) is None
        snapshot = service.revocation.projector.listed.snapshot()
    assert b"carol" not in snapshot
    assert all(b"carol" not in path.read_bytes() for path in tmp_path.iterdir())


def test_changed_claims_are_felt_and_the_new_ones_pass(service: Served) -> None:
    issuer = Issuer(service.revocation, head=Position(2, 0))
    now_s = issuer.now() // 1000
    with following(service, "orders") as orders:
        made = revoke(service, "subject", NAME, effect="refresh")
        assert denial(orders, token(1, iat=now_s, cv=0)) is Denial.TOKEN_OUTDATED
        issuer.send(
            SubjectScopesChanged(
                revocation_id=str(made["id"]),
                name=subject_name(ISS, NAME),
                scope="read",
                cv=1,
                by="issuer",
                answers=True,
            )
        )
        until(lambda: denial(orders, token(1, iat=now_s, cv=1)) is None)  # of the same second, with the new claims
        assert denial(orders, token(1, iat=now_s + 60, cv=0)) is Denial.TOKEN_OUTDATED

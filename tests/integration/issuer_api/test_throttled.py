"""Limits on failures over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from kit.issuer_http import Issuer, bearer, serving_issuer

from services.issuer.api.cookies import DEVICE
from services.issuer.api.throttling import Limits
from services.issuer.errors import WrongPassword


@pytest.fixture
def strict() -> Iterator[tuple[Issuer, httpx.Client]]:
    with serving_issuer(limits=Limits(per_account=3, per_network=5, window=900)) as issuer, httpx.Client() as http:
        http.base_url = httpx.URL(issuer.url)
        yield issuer, http


def sign_in(http: httpx.Client, username: str, password: str, *, ip: str, device: str = "") -> httpx.Response:
    headers = {"X-Forwarded-For": ip} | ({"Cookie": f"{DEVICE}={device}"} if device else {})
    return http.post("/api/token/", json={"username": username, "password": password}, headers=headers)


def device_cookie(answer: httpx.Response) -> str:
    name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
    assert name == DEVICE
    return value


def test_an_attacker_cannot_lock_the_owner_out(strict: tuple[Issuer, httpx.Client]) -> None:
    issuer, http = strict
    known = device_cookie(sign_in(http, "ada", "right", ip="198.51.100.7"))
    for number in range(3):
        assert sign_in(http, "ada", "wrong", ip=f"203.0.{number}.9").status_code == 401
    attacker = sign_in(http, "ada", "right", ip="203.0.9.9")
    assert (attacker.status_code, attacker.json()["code"]) == (429, "throttled")
    assert 0 < int(attacker.headers["retry-after"]) <= 900
    asked = len(issuer.script.calls)
    assert sign_in(http, "ada", "right", ip="203.0.9.9", device="x" * 22 + "." + "y" * 22).status_code == 429
    assert len(issuer.script.calls) == asked, "no password is even looked at"
    assert sign_in(http, "ada", "right", ip="198.51.100.7", device=known).status_code == 200
    assert sign_in(http, "bob", "right", ip="203.0.9.9").status_code == 200


def test_a_device_is_known_only_to_accounts_that_signed_in_from_it(strict: tuple[Issuer, httpx.Client]) -> None:
    _, http = strict
    known_to_bob = device_cookie(sign_in(http, "bob", "right", ip="198.51.100.7"))
    for number in range(3):
        sign_in(http, "ada", "wrong", ip=f"203.0.{number}.9")
    assert sign_in(http, "ada", "right", ip="198.51.100.7", device=known_to_bob).status_code == 429


def test_another_spelling_is_the_same_account(strict: tuple[Issuer, httpx.Client]) -> None:
    _, http = strict
    for number, name in enumerate(["ada", " ADA", "\uff21da"]):
        sign_in(http, name, "wrong", ip=f"203.0.{number}.9")
    assert sign_in(http, "aDA", "right", ip="203.0.9.9").status_code == 429


def test_a_network_that_tries_many_accounts_waits(strict: tuple[Issuer, httpx.Client]) -> None:
    _, http = strict
    for number in range(5):
        assert sign_in(http, f"account {number}", "wrong", ip=f"203.0.113.{number}").status_code == 401
    assert sign_in(http, "ada", "right", ip="203.0.113.200").status_code == 429
    assert sign_in(http, "ada", "right", ip="198.51.100.7").status_code == 200


def test_guesses_of_the_old_password_are_limited(strict: tuple[Issuer, httpx.Client]) -> None:
    issuer, http = strict
    issuer.script.error = WrongPassword()
    body = {"old_password": "guess", "new_password": "mine now"}
    found = [http.post("/api/password", json=body, headers=bearer()).status_code for _ in range(5)]
    assert found == [400, 400, 400, 429, 429]

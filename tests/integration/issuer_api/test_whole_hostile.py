"""Hostile input against everything, on both kinds of databases: refused, never a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from kit.whole import Whole, whole

NAMES = ["'; DROP TABLE sessions; --", "\u202eevil", "😀" * 60, "a" * 255, "\x7f", "%00", "ﬃ", "../..", "{{7*7}}", " "]
FAR = "999999999999999999.999999999999999999"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Whole]:
    argv = [] if request.param == "sqlite" else ["--database", request.getfixturevalue("postgres_database")]
    with whole(tmp_path / "data", argv) as running:
        yield running


def test_no_input_is_a_fault_of_ours(service: Whole) -> None:
    with service.client() as admin:
        answers = [*_names(admin), *_log(admin), *_odd_bodies(admin), *_odd_tokens(admin)]
    faults = [(answer.request.method, answer.request.url, answer.status_code) for answer in answers if answer.status_code >= 500]
    assert faults == []
    assert len(answers) > 80


def _names(admin: httpx.Client) -> Iterator[httpx.Response]:
    for name in NAMES:
        yield admin.post("/v1/subjects", json={"username": name, "password": "correct horse", "scopes": [name]})
        yield admin.post("/v1/subjects", json={"username": name, "password": name * 8})
        yield admin.post("/api/token/", json={"username": name, "password": name, "device_name": name})
        yield admin.post("/v1/clients", json={"name": name, "scopes": [name], "audience": name})
        yield admin.post("/v1/sessions", json={"subject": name, "claims": {name: name}, "device_name": name, "device": name})
        yield admin.patch(f"/v1/subjects/{quote(name, safe='')}", json={"scopes": []})


def _log(admin: httpx.Client) -> Iterator[httpx.Response]:
    for query in ({"sub": name, "sid": name} for name in NAMES):
        yield admin.get("/v1/log", params=query)
    for query in (
        {"after": FAR},
        {"after": "0.0", "limit": "1000"},
        {"since": "0001-01-01T00:00:00Z"},
        {"until": "9999-12-31T23:59:59Z"},
        {"since": "9999-12-31T23:59:59-23:59"},
        {"since": "0001-01-01T00:00:00+23:59"},
    ):
        yield admin.get("/v1/log", params=query)
    yield admin.get("/v1/log/records", params={"after": FAR})
    yield admin.post("/v1/subject-keys", json={"subjects": NAMES})


def _odd_bodies(admin: httpx.Client) -> Iterator[httpx.Response]:
    yield admin.post("/v1/sessions", json={"subject": "s", "claims": {"big": 10**300, "float": 1e308, "deep": [[[[[[]]]]]]}})
    yield admin.post("/v1/sessions", json={"subject": "s", "claims": {"long": "x" * 60_000}})
    yield admin.post("/v1/sessions", json={"subject": "s", "scopes": ["a"] * 200})
    yield admin.post("/v1/keys/rotate", json={"use": "refresh"})
    yield admin.post("/api/token/", json={"username": "admin", "password": "x" * 1024}, headers={"User-Agent": "(" * 500})


def _odd_tokens(admin: httpx.Client) -> Iterator[httpx.Response]:
    for token in ("a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJ0eXAiOiJydCtqd3QifQ.e30." + "A" * 43, "..", "x" * 8000, "\u00e4.b.c"):
        yield admin.post("/api/token/refresh/", json={"refresh": token})
        yield admin.post("/api/token/verify/", json={"token": token})
        yield admin.post("/api/token/logout/", json={"refresh": token})
        yield admin.post("/oauth/introspect", data={"token": token})
        yield admin.get("/api/sessions", headers=[(b"Authorization", f"Bearer {token}".encode())])

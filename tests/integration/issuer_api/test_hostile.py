"""Hostile input is refused, never a 5xx, and reaches no use case as it came."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.issuer_http import Issuer, bearer

JSON_ENDPOINTS = [
    ("POST", "/api/token/"),
    ("POST", "/api/token/refresh/"),
    ("POST", "/api/token/verify/"),
    ("POST", "/api/token/logout/"),
    ("POST", "/api/token/blacklist/"),
    ("POST", "/api/password"),
    ("PATCH", "/api/sessions/sid-1"),
    ("POST", "/v1/sessions"),
    ("PATCH", "/v1/sessions/sid-1"),
    ("POST", "/v1/subjects"),
    ("PATCH", "/v1/subjects/person"),
    ("POST", "/v1/subjects/person/password"),
    ("POST", "/v1/clients"),
    ("POST", "/v1/keys/rotate"),
    ("POST", "/v1/subject-keys"),
]
FIELDS = [
    *("username", "password", "remember_me", "device_name", "cookie", "bind", "refresh", "token", "old_password"),
    *("new_password", "subject", "scopes", "claims", "client_ip", "user_agent", "device", "name", "grants", "audience"),
    *("use", "subjects"),
]
BODIES = [
    b"[" * 20_000,
    b'{"username": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    b'{"username": NaN, "password": Infinity}',
    b'{"username": "a\\u0000b", "password": "right"}',
    b'{"username": "\\ud800", "password": "right"}',
    b'{"username": "a", "username": "b", "password": "right"}',
    b'{"username": 1e400}',
    b'{"username": ' + b"9" * 10_000 + b"}",
    b"\xff\xfe\x00{",
    b'{"subject": "s", "claims": {"x": NaN}}',
    b'{"subject": "s", "claims": ' + b'{"a":' * 50 + b"1" + b"}" * 50 + b"}",
    b'{"username": "a", "password": "right", "bind": {"ip": "strict", "extra": 1}}',
    b"\x1f\x8b\x08\x00",
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(("method", "path"), JSON_ENDPOINTS)
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_hostile_bodies_are_refused(http: httpx.Client, issuer: Issuer, method: str, path: str, body: bytes) -> None:
    headers = bearer(scopes="admin") if path.startswith("/api/") else bearer("m", "", "admin")
    answer = http.request(method, path, content=body, headers=headers | {"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert issuer.script.calls == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(JSON_ENDPOINTS), st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=5))
def test_any_types_anywhere_are_no_fault_of_ours(http: httpx.Client, endpoint: tuple[str, str], body: dict[str, object]) -> None:
    headers = bearer(scopes="admin") if endpoint[1].startswith("/api/") else bearer("m", "", "admin")
    content = json.dumps(body).encode()
    answer = http.request(*endpoint, content=content, headers=headers | {"Content-Type": "application/json"})
    assert answer.status_code < 500


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["/oauth/token", "/oauth/revoke", "/oauth/introspect"]), st.binary(max_size=300))
def test_any_form_is_no_fault_of_ours(http: httpx.Client, path: str, body: bytes) -> None:
    answer = http.post(path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code in {400, 401}


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "x" * 30_000},
        {"User-Agent": "\x7fMozilla\x80\xff"},
        {"X-Forwarded-For": ",".join(["1.1.1.1"] * 3_000)},
        {"Cookie": "; ".join(f"c{number}={number}" for number in range(3_000))},
        {"Cookie": "__Host-rescind-refresh-0=\x80\xff; __Host-rescind-device=\x80"},
        {"Cookie": '__Host-rescind-refresh-0="\\377\\000"; ='},
        {"Authorization": "Bearer " + "x" * 30_000},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic " + "A" * 30_000},
        {"Rescind-Device": "\x80" * 40},
        {"Origin": "x" * 20_000},
        {"Content-Length": "0", "Content-Type": "application/json; charset=\xff"},
    ],
    ids=lambda headers: next(iter(headers)),
)
@pytest.mark.parametrize("path", ["/api/token/refresh/", "/api/token/", "/oauth/token", "/v1/clients"])
def test_hostile_headers_are_no_fault_of_ours(http: httpx.Client, path: str, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert http.post(path, headers=raw).status_code < 500


def raw_request(issuer: Issuer, request: bytes) -> bytes:
    address = urlsplit(issuer.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(100)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /api/sessions HTTP/1.1\r\nHost: x\r\nUser-Agent: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"GET /api/sessions HTTP/1.1\r\nHost: x\r\nUser-Agent: a\x00b\r\n\r\n",
        b"GET /api/sessions/%ff%00%ed%a0%80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["1 MB user agent", "NUL in a header", "odd path", "huge length", "negative length", "TLS on a plain port"],
)
def test_what_no_http_client_would_send_is_no_fault_of_ours(issuer: Issuer, request_bytes: bytes) -> None:
    try:
        answer = raw_request(issuer, request_bytes)
    except ConnectionError:
        return  # refused without an answer
    assert answer[:9] == b"HTTP/1.1 "
    assert answer[9:10] == b"4"


def test_a_client_that_goes_away_is_no_error(http: httpx.Client, issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    address = urlsplit(issuer.url)
    head = b"POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(head)
    assert http.post("/api/token/verify/", json={"token": "t"}).status_code == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("sub", ["%00", "%ff", "%F0%9F%98%80", "%ED%A0%80", "a" * 5_000, "%2e%2e%2f", "'%20OR%201=1--"])
def test_hostile_ids_are_unknown(http: httpx.Client, sub: str) -> None:
    admin = bearer("m", "", "admin")
    assert http.delete(f"/v1/subjects/{sub}", headers=admin).status_code == 404
    assert http.patch(f"/v1/sessions/{sub}", json={}, headers=admin).status_code == 404

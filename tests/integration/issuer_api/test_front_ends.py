"""What front ends are answered when all is well."""

from __future__ import annotations

import httpx
import pytest
from kit.issuer_http import Issuer, bearer
from kit.pairs import NOW, pair

from services.issuer.contexts import Login, RequestContext
from services.times import iso


@pytest.mark.parametrize("slash", ["/", ""])
def test_the_wire_that_simplejwt_front_ends_speak(http: httpx.Client, issuer: Issuer, slash: str) -> None:
    signed_in = http.post(f"/api/token{slash}", json={"username": "ada", "password": "right", "csrf": "ignored"})
    assert (signed_in.status_code, signed_in.json()) == (200, {"access": "access-1", "refresh": pair(1).refresh})
    refreshed = http.post(f"/api/token/refresh{slash}", json={"refresh": "a.b.c"})
    assert (refreshed.status_code, refreshed.json()) == (200, {"access": "access-2", "refresh": pair(2).refresh})
    verified = http.post(f"/api/token/verify{slash}", json={"token": "t"})
    assert (verified.status_code, verified.json()) == (200, {})
    logged_out = http.post(f"/api/token/logout{slash}", json={"refresh": "a.b.c"})
    assert (logged_out.status_code, logged_out.content) == (204, b"")
    blacklisted = http.post(f"/api/token/blacklist{slash}", json={"refresh": "a.b.c"})
    assert (blacklisted.status_code, blacklisted.json()) == (200, {})
    assert [call[0] for call in issuer.script.calls] == ["sign_in", "refresh", "verify", "logout", "logout"]


def test_what_a_sign_in_asks_for(http: httpx.Client, issuer: Issuer) -> None:
    body = {
        "username": "ada",
        "password": "right",
        "remember_me": True,
        "device_name": "Ada's phone",
        "bind": {"ip": "log", "device": "strict"},
    }
    assert http.post("/api/token/", json=body).status_code == 200
    assert issuer.script.calls[0][1] == Login(
        username="ada",
        password="right",
        remember_me=True,
        device_name="Ada's phone",
        bind_ip="log",
        bind_device="strict",
    )


def test_where_a_request_comes_from(http: httpx.Client, issuer: Issuer) -> None:
    """The test server trusts its peer, 127.0.0.1, as a proxy."""
    headers = {
        "X-Forwarded-For": "1.1.1.1, ::ffff:203.0.113.9",
        "User-Agent": "Mozilla/5.0\t" + "x" * 1000,
        "Rescind-Device": "phone-0815",
    }
    http.post("/api/token/refresh/", json={"refresh": "a.b.c"}, headers=headers)
    context = issuer.script.calls[0][2]
    assert context == RequestContext(ip="203.0.113.9", user_agent="Mozilla/5.0" + "x" * 500, device="phone-0815")


@pytest.mark.parametrize("forwarded", ["unknown", "<script>", "1.1.1.1, 010.0.0.1", ""])
def test_an_address_that_cannot_be_read_is_unknown(http: httpx.Client, issuer: Issuer, forwarded: str) -> None:
    http.post("/api/token/refresh/", json={"refresh": "a.b.c"}, headers={"X-Forwarded-For": forwarded})
    context = issuer.script.calls[0][2]
    assert isinstance(context, RequestContext)
    assert context.ip is None


@pytest.mark.parametrize("slash", ["/", ""])
def test_the_sessions_of_a_person(http: httpx.Client, issuer: Issuer, slash: str) -> None:
    answer = http.get(f"/api/sessions{slash}", headers=bearer(sid="sid-2"))
    assert answer.status_code == 200
    first, second = answer.json()["sessions"]
    assert second == {
        "sid": "sid-2",
        "device_name": None,
        "browser": "Firefox",
        "os": "Linux",
        "ip": "198.51.100.7",
        "place": "Lyon",
        "created": iso(NOW),
        "last_seen": iso(NOW),
        "expires": iso(NOW),
        "remember_me": False,
        "current": True,
    }
    assert first["current"] is False
    assert "place" not in first
    assert issuer.script.calls == [("of_subject", "log-person")]


def test_ending_and_naming_sessions(http: httpx.Client, issuer: Issuer) -> None:
    assert http.delete("/api/sessions/sid-2", headers=bearer()).status_code == 204
    others = http.delete("/api/sessions?scope=others", headers=bearer())
    everything = http.delete("/api/sessions?scope=all", headers=bearer())
    renamed = http.patch("/api/sessions/sid-2", json={"device_name": "desk"}, headers=bearer())
    assert (others.status_code, others.json(), everything.json()) == (200, {"ended": 3}, {"ended": 3})
    assert (renamed.status_code, renamed.json()["sid"]) == (200, "sid-2")
    assert issuer.script.calls == [
        ("end", "log-person", "sid-2", "user"),
        ("end_many", "log-person", "sid-1", "user"),
        ("end_many", "log-person", None, "user"),
        ("rename", "log-person", "sid-2", "desk"),
        ("of_subject", "log-person"),
    ]


@pytest.mark.parametrize("sid", ["sid-9", "%00", "..", "x" * 2000, "%ED%A0%80"])
def test_somebody_elses_session_is_unknown(http: httpx.Client, sid: str) -> None:
    for answer in (
        http.delete(f"/api/sessions/{sid}", headers=bearer()),
        http.patch(f"/api/sessions/{sid}", json={"device_name": "mine now"}, headers=bearer()),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("query", ["", "?scope=", "?scope=mine"])
def test_ending_many_needs_to_say_which(http: httpx.Client, issuer: Issuer, query: str) -> None:
    answer = http.delete(f"/api/sessions{query}", headers=bearer())
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["scope"])
    assert issuer.script.calls == []


def test_a_machine_has_no_sessions_page(http: httpx.Client) -> None:
    assert http.get("/api/sessions", headers=bearer("m", "", "admin")).status_code == 403


def test_a_password_is_changed(http: httpx.Client, issuer: Issuer) -> None:
    answer = http.post("/api/password", json={"old_password": "old one", "new_password": "new one"}, headers=bearer())
    assert (answer.status_code, answer.content) == (204, b"")
    assert issuer.script.calls[0][:5] == ("change_password", "log-person", "old one", "new one", "sid-1")


@pytest.mark.parametrize("path", ["/api/sessions", "/v1/log", "/api/sessions?scope=all"])
@pytest.mark.parametrize("name", ["access_token", "token", "authorization"])
def test_a_token_in_a_query_string_is_not_read(http: httpx.Client, path: str, name: str) -> None:
    token = bearer(scopes="admin")["Authorization"].removeprefix("Bearer ")
    joined = f"{path}{'&' if '?' in path else '?'}{name}={token}"
    assert http.get(joined).status_code in {401, 405}

"""What machines are answered when all is well, and what the use cases were asked."""

from __future__ import annotations

import httpx
import pytest
from kit.issuer_http import BACK_END, Issuer, bearer
from kit.pairs import NOW, pair

from services.issuer.contexts import NewClient, RequestContext, StartSession
from services.issuer.errors import Conflict, Forbidden, InvalidRequest, InvalidScope
from services.times import iso

MACHINE = bearer("m", "", "admin")
PERSON = bearer("boss", "sid-1", "admin")


def test_a_back_end_starts_a_session(http: httpx.Client, issuer: Issuer) -> None:
    body = {
        "subject": "auth0|7",
        "scopes": ["read"],
        "claims": {"tier": "gold"},
        "client_ip": "::ffff:203.0.113.9",
        "user_agent": "Mozilla/5.0",
        "device": "phone-0815",
        "device_name": "phone",
        "remember_me": True,
        "bind": {"ip": "strict"},
    }
    answer = http.post("/v1/sessions", json=body, headers=MACHINE)
    expected = {"sid": "sid-1", "access": "access-1", "refresh": pair(1).refresh, "expires_in": 900}
    assert (answer.status_code, answer.json()) == (201, expected)
    start = StartSession(
        subject="auth0|7",
        scopes=("read",),
        claims={"tier": "gold"},
        remember_me=True,
        device_name="phone",
        bind_ip="strict",
    )
    context = RequestContext(ip="203.0.113.9", user_agent="Mozilla/5.0", device="phone-0815")
    assert issuer.script.calls == [("start", BACK_END, start, context)]


@pytest.mark.parametrize("told", [{}, {"client_ip": "garbage"}, {"client_ip": None, "user_agent": " "}])
def test_what_a_back_end_does_not_tell_is_unknown(http: httpx.Client, issuer: Issuer, told: dict[str, object]) -> None:
    assert http.post("/v1/sessions", json={"subject": "s", **told}, headers=MACHINE).status_code == 201
    assert issuer.script.calls[0][3] == RequestContext(known=False)


@pytest.mark.parametrize("device", ["d1", "Ada's phone", "téléphone", "x" * 255])
def test_a_device_has_whatever_name_a_back_end_gives_it(http: httpx.Client, issuer: Issuer, device: str) -> None:
    """A name that were dropped without a word would leave `bind` to a device without effect."""
    assert http.post("/v1/sessions", json={"subject": "s", "device": device}, headers=MACHINE).status_code == 201
    assert issuer.script.calls[0][3] == RequestContext(device=device)


def test_a_person_starts_no_sessions_for_others(http: httpx.Client, issuer: Issuer) -> None:
    assert http.post("/v1/sessions", json={"subject": "s"}, headers=PERSON).status_code == 403
    assert http.patch("/v1/sessions/sid-1", json={"scopes": []}, headers=PERSON).status_code == 403
    assert issuer.script.calls == []


def test_a_back_end_changes_claims(http: httpx.Client, issuer: Issuer) -> None:
    answer = http.patch("/v1/sessions/sid-1", json={"scopes": ["read"]}, headers=MACHINE)
    assert (answer.status_code, answer.json()) == (200, {"sid": "sid-1"})
    assert issuer.script.calls == [("change_claims", BACK_END, "sid-1", ["read"], None)]
    assert http.patch("/v1/sessions/sid-9", json={}, headers=MACHINE).status_code == 404


def test_accounts(http: httpx.Client, issuer: Issuer) -> None:
    made = http.post("/v1/subjects", json={"username": "ada", "password": "long enough", "scopes": ["read"]}, headers=PERSON)
    assert (made.status_code, made.json()) == (201, {"sub": "new"})
    changed = http.patch("/v1/subjects/person", json={"scopes": ["b", "a"]}, headers=MACHINE)
    expected = {"sub": "person", "scopes": ["a", "b"], "disabled": False, "created": iso(NOW)}
    assert (changed.status_code, changed.json()) == (200, expected)
    assert http.post("/v1/subjects/person/disable", headers=MACHINE).status_code == 204
    assert http.post("/v1/subjects/person/enable", headers=MACHINE).status_code == 204
    assert http.post("/v1/subjects/person/password", json={"password": "another one"}, headers=MACHINE).status_code == 204
    assert http.delete("/v1/subjects/person", headers=MACHINE).status_code == 204
    assert issuer.script.calls == [
        ("create", "ada", "long enough", ("read",), "admin:log-boss"),
        ("set_scopes", "person", ("b", "a"), "client:back end"),
        ("disable", "person", "client:back end"),
        ("enable", "person", "client:back end"),
        ("set_password", "person", "another one", "client:back end"),
        ("forget", "person", "client:back end"),
    ]
    sessions = http.get("/v1/subjects/person/sessions", headers=MACHINE)
    assert [session["sid"] for session in sessions.json()["sessions"]] == ["sid-1", "sid-2"]


def test_a_platforms_name_may_hold_slashes(http: httpx.Client, issuer: Issuer) -> None:
    assert http.post("/v1/subjects/auth0%7C7%2Fx/disable", headers=MACHINE).status_code == 204
    assert issuer.script.calls == [("disable", "auth0|7/x", "client:back end")]
    assert http.get("/v1/subjects/auth0%7C7%2Fx/sessions", headers=MACHINE).status_code == 200


@pytest.mark.parametrize("sub", ["nobody", "%00", "x" * 3000, "..", "nobody/sessions"])
def test_an_unknown_account(http: httpx.Client, sub: str) -> None:
    for answer in (
        http.patch(f"/v1/subjects/{sub}", json={"scopes": []}, headers=MACHINE),
        http.post(f"/v1/subjects/{sub}/disable", headers=MACHINE),
        http.delete(f"/v1/subjects/{sub}", headers=MACHINE),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_client_is_registered_and_its_secret_shown_once(http: httpx.Client, issuer: Issuer) -> None:
    body = {"name": "shop", "scopes": ["sessions:write"], "grants": ["read"], "audience": "shop"}
    answer = http.post("/v1/clients", json=body, headers=MACHINE)
    assert answer.status_code == 201
    assert answer.json() == body | {"client_id": "c1", "client_secret": "shown once"}
    new = NewClient(name="shop", scopes=("sessions:write",), grants=("read",), audience="shop")
    assert issuer.script.calls == [("create_client", new, "client:back end")]
    assert answer.headers["cache-control"] == "no-store"


def test_clients_are_listed_without_secrets(http: httpx.Client) -> None:
    answer = http.get("/v1/clients", params={"limit": 1}, headers=MACHINE).json()
    assert answer["next"] == "first-party"
    (built_in,) = answer["clients"]
    assert (built_in["public"], built_in["previous_secret_until"]) == (True, None)
    answer = http.get("/v1/clients", headers=MACHINE)
    assert answer.json()["next"] is None
    assert answer.json()["clients"][1] == {
        "client_id": "back end",
        "name": "shop",
        "scopes": ["sessions:write"],
        "grants": ["read"],
        "audience": "a",
        "public": False,
        "created": iso(NOW),
        "previous_secret_until": iso(NOW + 1000),
    }


def test_a_secret_is_rotated_and_shown_once(http: httpx.Client, issuer: Issuer) -> None:
    answer = http.post("/v1/clients/back end/secret", json={"overlap": 60}, headers=MACHINE)
    expected = {"client_id": "back end", "client_secret": "shown once", "previous_secret_until": iso(NOW + 60_000)}
    assert (answer.status_code, answer.json(), answer.headers["cache-control"]) == (200, expected, "no-store")
    assert issuer.script.calls == [("rotate_secret", "back end", 60, "client:back end")]
    for overlap in (-1, 604_801, "60", 1.5):
        assert http.post("/v1/clients/back end/secret", json={"overlap": overlap}, headers=MACHINE).status_code == 400


def test_a_client_is_deleted_but_not_by_itself(http: httpx.Client, issuer: Issuer) -> None:
    assert http.delete("/v1/clients/back end", headers=PERSON).status_code == 204
    assert issuer.script.calls == [("delete_client", "back end", "admin:log-boss")]
    itself = http.delete("/v1/clients/back end", headers=MACHINE)
    assert (itself.status_code, itself.json()["code"]) == (409, "conflict")
    assert "use another one" in itself.json()["detail"]
    assert http.delete("/v1/clients/nobody", headers=PERSON).status_code == 404


@pytest.mark.parametrize("use", ["access", "refresh"])
def test_keys_are_rotated(http: httpx.Client, issuer: Issuer, use: str) -> None:
    answer = http.post("/v1/keys/rotate", json={"use": use}, headers=MACHINE)
    assert (answer.status_code, answer.json()) == (200, {"kid": "kid-2", "use": use})
    assert issuer.script.calls == [("rotate", use, "client:back end")]


def test_a_member_that_is_unknown_is_a_mistake(http: httpx.Client) -> None:
    answer = http.post("/v1/clients", json={"name": "shop", "scope": "read"}, headers=MACHINE)
    assert (answer.status_code, sorted(answer.json()["fields"])) == (400, ["scope", "scopes"])
    assert http.post("/v1/keys/rotate", json={"use": "both"}, headers=MACHINE).status_code == 400


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequest({"claims": "`iss` is reserved."}), 400, "invalid_request"),
        (InvalidScope(), 400, "invalid_scope"),
        (Forbidden(), 403, "forbidden"),
        (Conflict(), 409, "conflict"),
    ],
)
def test_refusals_are_problem_details(http: httpx.Client, issuer: Issuer, error: Exception, status: int, code: str) -> None:
    issuer.script.error = error
    answer = http.post("/v1/sessions", json={"subject": "s"}, headers=MACHINE)
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"

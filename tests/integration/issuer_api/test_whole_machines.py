"""Machines against everything: OAuth, bring-your-own login, administration, the log."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from kit.whole import Whole, token, whole

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def admin(service: Whole) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


@dataclass(frozen=True)
class BackEnd:
    """A client with its secret, and a connection with its own access token."""

    id: str
    secret: str
    http: httpx.Client

    def oauth(self, endpoint: str, **form: str) -> httpx.Response:
        return self.http.post(f"/oauth/{endpoint}", data=form, auth=httpx.BasicAuth(self.id, self.secret))

    def start(self, subject: str, **more: object) -> httpx.Response:
        return self.http.post("/v1/sessions", json={"subject": subject, **more})


Register = Callable[..., BackEnd]


@pytest.fixture(scope="module")
def register(service: Whole, admin: httpx.Client) -> Iterator[Register]:
    """Makes back ends with the scopes given."""
    with ExitStack() as stack:

        def make(*scopes: str) -> BackEnd:
            made = admin.post("/v1/clients", json={"name": "shop", "scopes": [*scopes], "grants": ["read", "write"]})
            assert made.status_code == 201
            client_id, secret = made.json()["client_id"], made.json()["client_secret"]
            own = stack.enter_context(service.client(token(service.url, client_id, secret)))
            return BackEnd(client_id, secret, own)

        yield make


@pytest.fixture(scope="module")
def shop(register: Register) -> BackEnd:
    return register("sessions:write")


def claims(access: str) -> dict[str, object]:
    payload = access.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def subject() -> str:
    return f"auth0|{uuid4().hex}/x"


def test_a_login_of_ones_own(shop: BackEnd) -> None:
    sub = subject()
    started = shop.start(sub, scopes=["read"], claims={"tier": "gold"}, client_ip="203.0.113.9", device_name="phone")
    assert started.status_code == 201
    found = claims(started.json()["access"])
    assert (found["sub"], found["scope"], found["tier"], found["client_id"]) == (sub, "read", "gold", shop.id)
    refreshed = shop.oauth("token", grant_type="refresh_token", refresh_token=started.json()["refresh"])
    assert refreshed.status_code == 200
    assert claims(refreshed.json()["access_token"])["sid"] == started.json()["sid"]


def test_a_back_ends_refresh_token_is_worth_nothing_without_its_secret(service: Whole, shop: BackEnd) -> None:
    """RFC 6749 section 6: who has a secret must show it. Trying costs the session nothing."""
    stolen = shop.start(subject()).json()["refresh"]
    answer = httpx.post(f"{service.url}/api/token/refresh/", json={"refresh": stolen})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")
    assert shop.oauth("token", grant_type="refresh_token", refresh_token=stolen).status_code == 200, "control"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"scopes": ["pay"]}, 400, "invalid_scope"),
        ({"scopes": ["admin"]}, 400, "invalid_scope"),
        ({"claims": {"iss": "https://evil.example"}}, 400, "invalid_request"),
        ({"claims": {"sn": 1}}, 400, "invalid_request"),
        ({"bind": {"ip": "loose"}}, 400, "invalid_request"),
    ],
)
def test_what_a_back_end_may_not_ask_for(shop: BackEnd, more: dict[str, object], status: int, code: str) -> None:
    answer = shop.start(subject(), **more)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_subject_belongs_to_the_client_that_first_named_it(register: Register, admin: httpx.Client, shop: BackEnd) -> None:
    sub = subject()
    mine = shop.start(sub).json()
    other = register("sessions:write")
    assert other.start(sub).status_code == 403
    own = admin.post("/v1/subjects", json={"username": uuid4().hex, "password": PASSWORD}).json()["sub"]
    assert shop.start(own).status_code == 403
    assert other.http.patch(f"/v1/sessions/{mine['sid']}", json={"scopes": []}).status_code == 404
    assert other.oauth("token", grant_type="refresh_token", refresh_token=mine["refresh"]).json()["error"] == "invalid_grant"
    assert other.oauth("revoke", token=mine["refresh"]).json()["error"] == "unauthorized_client"
    assert other.oauth("introspect", token=mine["access"]).json() == {"active": False}
    assert shop.oauth("introspect", token=mine["access"]).json()["active"] is True
    assert shop.oauth("introspect", token=mine["refresh"]).json()["token_type"] == "refresh_token"


def test_changed_claims_make_the_old_ones_die(shop: BackEnd) -> None:
    session = shop.start(subject(), scopes=["read"]).json()
    assert shop.http.patch(f"/v1/sessions/{session['sid']}", json={"scopes": ["write"]}).status_code == 200
    assert shop.oauth("introspect", token=session["access"]).json() == {"active": False}
    refreshed = shop.oauth("token", grant_type="refresh_token", refresh_token=session["refresh"]).json()
    assert (refreshed["scope"], claims(refreshed["access_token"])["scope"]) == ("write", "write")
    assert shop.http.patch(f"/v1/sessions/{session['sid']}", json={}).status_code == 400


def test_revoking_is_idempotent_and_says_why_afterwards(service: Whole, shop: BackEnd, admin: httpx.Client) -> None:
    session = shop.start(subject()).json()
    for _ in range(2):
        assert shop.oauth("revoke", token=session["refresh"]).status_code == 200
    assert shop.oauth("revoke", token="rubbish").status_code == 200
    refused = shop.oauth("token", grant_type="refresh_token", refresh_token=session["refresh"])
    assert (refused.status_code, refused.json()["error"], refused.json()["reason"]) == (400, "invalid_grant", "session_revoked")
    assert refused.json()["why"] == "logout"
    own_token = admin.headers["Authorization"].removeprefix("Bearer ")
    told = json.loads((service.data / "admin-client.json").read_text("utf-8"))
    by_admin = BackEnd(told["client_id"], told["client_secret"], admin)
    assert by_admin.oauth("revoke", token=own_token).json()["error"] == "unsupported_token_type"
    another = shop.start(subject()).json()
    assert by_admin.oauth("revoke", token=another["access"]).status_code == 200
    assert shop.oauth("introspect", token=another["access"]).json() == {"active": False}


def test_client_credentials_narrow_their_scope(register: Register) -> None:
    machine = register("log:read", "introspect")
    narrow = machine.oauth("token", grant_type="client_credentials", scope="log:read").json()
    assert (narrow["scope"], narrow["token_type"]) == ("log:read", "Bearer")
    assert machine.oauth("token", grant_type="client_credentials").json()["scope"] == "introspect log:read"
    assert machine.oauth("token", grant_type="client_credentials", scope="admin").json()["error"] == "invalid_scope"


def test_the_administrators_person_has_a_session_like_anybody(service: Whole) -> None:
    told = json.loads((service.data / "admin-client.json").read_text("utf-8"))
    pair = httpx.post(f"{service.url}/api/token/", json={"username": told["username"], "password": told["password"]}).json()
    with service.client(pair["access"]) as person:
        assert person.post("/v1/subjects", json={"username": uuid4().hex, "password": PASSWORD}).status_code == 201
        assert person.post("/v1/sessions", json={"subject": subject()}).status_code == 403
        assert person.get("/api/sessions").status_code == 200


def test_an_account_is_made_disabled_and_forgotten(service: Whole, admin: httpx.Client) -> None:
    username = f"person-{uuid4().hex}"
    body = {"username": username, "password": PASSWORD}
    sub = admin.post("/v1/subjects", json=body).json()["sub"]
    assert admin.post("/v1/subjects", json=body).status_code == 409
    assert admin.post("/v1/subjects", json={"username": uuid4().hex, "password": "short"}).json()["fields"].keys() == {"password"}
    pair = httpx.post(f"{service.url}/api/token/", json=body).json()
    assert [len(admin.get(f"/v1/subjects/{sub}/sessions").json()["sessions"])] == [1]
    assert admin.post(f"/v1/subjects/{sub}/password", json={"password": "battery staple"}).status_code == 204
    refused = httpx.post(f"{service.url}/api/token/refresh/", json={"refresh": pair["refresh"]}).json()
    assert (refused["reason"], refused["why"]) == ("session_revoked", "password_changed")
    assert admin.delete(f"/v1/subjects/{sub}").status_code == 204
    assert admin.delete(f"/v1/subjects/{sub}").status_code == 404
    assert admin.post("/v1/subjects", json=body).status_code == 201, "the name is free again"


def test_the_key_set_and_a_rotation(service: Whole, admin: httpx.Client) -> None:
    before = httpx.get(f"{service.url}/.well-known/jwks.json").json()["keys"]
    made = admin.post("/v1/keys/rotate", json={"use": "access"})
    after = httpx.get(f"{service.url}/.well-known/jwks.json").json()["keys"]
    assert made.status_code == 200
    assert {key["kid"] for key in after} - {key["kid"] for key in before} == {made.json()["kid"]}
    assert all("d" not in key for key in after)


def test_the_metadata_names_endpoints_that_answer(service: Whole) -> None:
    found = httpx.get(f"{service.url}/.well-known/oauth-authorization-server").json()
    assert found["issuer"] == service.url
    assert httpx.get(found["jwks_uri"]).status_code == 200
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert httpx.post(found[name]).json()["error"] == "invalid_request"


def events(http: httpx.Client, **query: str) -> list[dict[str, object]]:
    """All pages."""
    found: list[dict[str, object]] = []
    after: str | None = ""
    while after is not None:
        page = http.get("/v1/log", params={**query, "after": after, "limit": "2"}).raise_for_status().json()
        found += page["events"]
        after = page["next"]
    return found


def test_the_log_shows_personal_data_only_with_the_scope_and_notes_who_read(
    service: Whole, register: Register, admin: httpx.Client, shop: BackEnd
) -> None:
    sub = subject()
    session = shop.start(sub, client_ip="203.0.113.9").json()
    shop.oauth("revoke", token=session["refresh"])
    reader = register("log:read")
    wait_until(lambda: len(events(reader.http, sub=sub)) == 3)
    seen = events(reader.http, sub=sub)
    assert [each["type"] for each in seen] == ["SubjectCreated", "TokenIssued", "SessionRevoked"]
    assert {each["sub"] for each in seen} == {sub}
    assert {json.dumps(each["personal"]) for each in seen} == {"null"}
    assert "203.0.113.9" not in json.dumps(seen)
    opened = events(admin, sub=sub, type="TokenIssued")
    assert opened[0]["personal"] == {"ip": "203.0.113.9", "username": sub}
    noted = {"by": f"client:{admin_client(service)}", "purpose": "log", "subjects": 1, "events": 1}
    wait_until(lambda: noted in [each["data"] for each in events(reader.http, type="PersonalDataRead")])
    assert admin.delete(f"/v1/subjects/{sub.replace('|', '%7C').replace('/', '%2F')}").status_code == 204
    forgotten = events(admin, sid=session["sid"])
    assert forgotten
    assert all(each["personal"] is None for each in forgotten)


def admin_client(service: Whole) -> str:
    found: str = json.loads((service.data / "admin-client.json").read_text("utf-8"))["client_id"]
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    """Positions are given after commit: ask until it is there."""
    for _ in range(500):
        if holds():
            return
    msg = "it never came"
    raise AssertionError(msg)


def test_the_log_is_followed_live(service: Whole, shop: BackEnd) -> None:
    sub = subject()
    with service.client() as follower, follower.stream("GET", "/v1/log/stream?type=TokenIssued") as stream:
        lines = stream.iter_lines()
        next(lines)
        session = shop.start(sub).json()
        found = (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
        event = next(each for each in found if each["sid"] == session["sid"])
    assert (event["type"], event["sub"]) == ("TokenIssued", sub)


def test_the_log_is_copied_byte_for_byte(register: Register) -> None:
    copier = register("log:replicate")
    first = copier.http.get("/v1/log/records?limit=3").json()["records"]
    rest = copier.http.get(f"/v1/log/records?after={first[0]['position']}&limit=2").json()["records"]
    assert rest == first[1:]
    stored = next(iter(base64.b64decode(each["data"]) for each in first))
    assert json.dumps(json.loads(stored), sort_keys=True, separators=(",", ":")).encode() == stored


@pytest.mark.parametrize("query", ["after=x", "after=1", "type=NoSuchEvent", "type=token.issued.v1"])
def test_a_bad_question_to_the_log(admin: httpx.Client, query: str) -> None:
    assert admin.get(f"/v1/log?{query}").status_code == 400
    assert admin.get(f"/v1/log/stream?{query}").status_code == 400

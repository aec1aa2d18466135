"""RFC 6749, 7009, 7662 and 8414 as clients see them."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus

import httpx
import pytest
from kit.issuer_http import BACK_END, ISS, PUBLIC, SECRET, Issuer, bearer
from kit.pairs import NOW, pair

from eventlog.errors import StoreUnavailable
from services.issuer.api.well_known import metadata
from services.issuer.contexts import RequestContext
from services.issuer.errors import (
    Forbidden,
    InvalidScope,
    InvalidToken,
    SessionEnded,
    SessionSuspended,
    StepUpRequired,
    UnsupportedTokenType,
)

FORM = "application/x-www-form-urlencoded"
POSTED = {"client_id": BACK_END.id, "client_secret": SECRET}
ENDPOINTS = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"]


def basic(client_id: str = BACK_END.id, secret: str = SECRET) -> dict[str, str]:
    joined = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": "Basic " + base64.b64encode(joined.encode()).decode()}


def error_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    assert {"error", "error_description"} <= set(answer.json())
    return answer.status_code, answer.json()["error"]


def test_client_credentials(http: httpx.Client, issuer: Issuer) -> None:
    by_header = http.post("/oauth/token", data={"grant_type": "client_credentials", "scope": "a b"}, headers=basic())
    in_form = http.post("/oauth/token", data={"grant_type": "client_credentials", **POSTED})
    expected = {"access_token": "machine", "token_type": "Bearer", "expires_in": 900, "scope": "a b"}
    assert (by_header.status_code, by_header.json()) == (200, expected)
    assert in_form.json()["scope"] == "sessions:write"
    assert (by_header.headers["cache-control"], by_header.headers["pragma"]) == ("no-store", "no-cache")
    assert issuer.script.calls == [("client_token", BACK_END, "a b"), ("client_token", BACK_END, None)]


def test_a_refresh_by_a_back_end_tells_where_its_user_is(http: httpx.Client, issuer: Issuer) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "a.b.c", "client_ip": "203.0.113.9", "device": "phone-0815"}
    answer = http.post("/oauth/token", data=form, headers=basic())
    assert answer.status_code == 200
    assert answer.json() == {
        "access_token": "access-2",
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": pair(2).refresh,
        "scope": "read write",
    }
    context = RequestContext(ip="203.0.113.9", device="phone-0815")
    assert issuer.script.calls == [("refresh", "a.b.c", context, BACK_END.id)]


def test_without_being_told_the_context_is_unknown(http: httpx.Client, issuer: Issuer) -> None:
    http.post("/oauth/token", data={"grant_type": "refresh_token", "refresh_token": "a.b.c"}, headers=basic())
    assert issuer.script.calls[0][2] == RequestContext(known=False)


def test_a_public_client_refreshes_for_itself(http: httpx.Client, issuer: Issuer) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "a.b.c", "client_id": PUBLIC.id, "client_ip": "1.1.1.1"}
    headers = {"X-Forwarded-For": "203.0.113.9", "User-Agent": "phone"}
    assert http.post("/oauth/token", data=form, headers=headers).status_code == 200
    assert issuer.script.calls[0][2:] == (RequestContext(ip="203.0.113.9", user_agent="phone"), PUBLIC.id)


def test_more_scope_than_granted_is_refused_before_anything_rotates(http: httpx.Client, issuer: Issuer) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "a.b.c", "scope": "read admin"}
    assert error_of(http.post("/oauth/token", data=form, headers=basic())) == (400, "invalid_scope")
    assert [call[0] for call in issuer.script.calls] == ["introspect"]
    assert http.post("/oauth/token", data=form | {"scope": "read"}, headers=basic()).json()["scope"] == "read write"


@pytest.mark.parametrize(
    ("error", "reason", "why"),
    [
        (InvalidToken(), "invalid", None),
        (InvalidToken("expired"), "expired", None),
        (SessionEnded("logout", NOW), "session_revoked", "logout"),
        (SessionSuspended("admin", NOW), "session_suspended", "admin"),
        (StepUpRequired("hold"), "step_up_required", None),
    ],
)
def test_a_refresh_token_that_does_not_do_is_an_invalid_grant_with_its_reason(
    http: httpx.Client, issuer: Issuer, error: Exception, reason: str, why: str | None
) -> None:
    issuer.script.error = error
    answer = http.post("/oauth/token", data={"grant_type": "refresh_token", "refresh_token": "a.b.c"}, headers=basic())
    assert error_of(answer) == (400, "invalid_grant")
    assert (answer.json()["reason"], answer.json().get("why")) == (reason, why)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b""),
        (FORM, b"\xff\x00"),
        (FORM, b"grant_type=client_credentials&grant_type=client_credentials&token=t&token=t"),
        (FORM, b"grant_type=&token="),
        ("application/json", b'{"grant_type": "client_credentials", "token": "t"}'),
        ("", b";{ broken"),
        ("multipart/form-data", b"x"),
    ],
)
def test_a_malformed_body_is_an_invalid_request(http: httpx.Client, endpoint: str, content_type: str, body: bytes) -> None:
    headers = basic() | ({"Content-Type": content_type} if content_type else {})
    assert error_of(http.post(endpoint, content=body, headers=headers)) == (400, "invalid_request")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_body_that_is_too_long(http: httpx.Client, endpoint: str) -> None:
    answer = http.post(endpoint, data={"token": "x" * 70_000, "grant_type": "x"}, headers=basic())
    assert answer.status_code == 413


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("headers", "posted"),
    [
        ({}, {}),
        ({}, {"client_secret": SECRET}),
        ({}, {"client_id": "nobody"}),
        ({}, {"client_id": BACK_END.id}),
        ({}, {"client_id": BACK_END.id, "client_secret": "wrong"}),
        ({}, {"client_id": PUBLIC.id, "client_secret": "any"}),
        (basic(secret="wrong"), {}),
        (basic("nobody"), {}),
        ({"Authorization": "Basic rubbish"}, {}),
        ({"Authorization": "Digest x"}, {}),
    ],
)
def test_an_invalid_client(http: httpx.Client, endpoint: str, headers: dict[str, str], posted: dict[str, str]) -> None:
    answer = http.post(endpoint, data={"grant_type": "client_credentials", "token": "t", **posted}, headers=headers)
    assert error_of(answer) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_never_two_ways_to_authenticate(http: httpx.Client, endpoint: str) -> None:
    answer = http.post(endpoint, data={"grant_type": "client_credentials", "token": "t", **POSTED}, headers=basic())
    assert error_of(answer) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"refresh_token": "a.b.c"}, "invalid_request"),
    ],
)
def test_other_mistakes_at_the_token_endpoint(http: httpx.Client, form: dict[str, str], error: str) -> None:
    assert error_of(http.post("/oauth/token", data=form, headers=basic())) == (400, error)


def test_a_scope_that_the_client_has_not(http: httpx.Client, issuer: Issuer) -> None:
    issuer.script.error = InvalidScope()
    answer = http.post("/oauth/token", data={"grant_type": "client_credentials", "scope": "admin"}, headers=basic())
    assert error_of(answer) == (400, "invalid_scope")


def test_a_public_client_has_no_token_of_its_own(http: httpx.Client) -> None:
    answer = http.post("/oauth/token", data={"grant_type": "client_credentials", "client_id": PUBLIC.id})
    assert error_of(answer) == (400, "unauthorized_client")


def test_revoking(http: httpx.Client, issuer: Issuer) -> None:
    answer = http.post("/oauth/revoke", data={"token": "t", "token_type_hint": "whatever"}, headers=basic())
    assert (answer.status_code, answer.content) == (200, b"")
    by_public = http.post("/oauth/revoke", data={"token": "t", "client_id": PUBLIC.id})
    assert by_public.status_code == 200
    assert issuer.script.calls == [("revoke", "t", BACK_END), ("revoke", "t", PUBLIC)]


def test_somebody_elses_token_is_not_revoked(http: httpx.Client, issuer: Issuer) -> None:
    issuer.script.error = Forbidden()
    assert error_of(http.post("/oauth/revoke", data={"token": "t"}, headers=basic())) == (400, "unauthorized_client")
    issuer.script.error = UnsupportedTokenType()
    assert error_of(http.post("/oauth/revoke", data={"token": "t"}, headers=basic())) == (400, "unsupported_token_type")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_when_the_database_is_away_the_token_is_still_assumed_alive(http: httpx.Client, issuer: Issuer, endpoint: str) -> None:
    issuer.script.error = StoreUnavailable("away")
    form = {"token": "t", "grant_type": "refresh_token", "refresh_token": "a.b.c"}
    answer = http.post(endpoint, data=form, headers=basic())
    assert error_of(answer) == (503, "temporarily_unavailable")
    assert "retry-after" in answer.headers


def test_introspecting(http: httpx.Client, issuer: Issuer) -> None:
    live = http.post("/oauth/introspect", data={"token": "t"}, headers=basic())
    dead = http.post("/oauth/introspect", data={"token": "dead"}, headers=basic())
    assert live.json() == {"active": True, "sub": "s", "scope": "read write"}
    assert dead.json() == {"active": False}, "and nothing else"
    assert (live.headers["content-type"], live.headers["cache-control"]) == ("application/json", "no-store")
    assert issuer.script.calls == [("introspect", "t", BACK_END), ("introspect", "dead", BACK_END)]


def test_a_bearer_introspects_with_the_scope_for_it(http: httpx.Client, issuer: Issuer) -> None:
    allowed = http.post("/oauth/introspect", data={"token": "t"}, headers=bearer("m", "", "introspect"))
    assert allowed.json()["active"] is True
    client = issuer.script.calls[0][2]
    assert getattr(client, "scopes", None) == {"introspect"}, "of the token, not of the client"
    refused = http.post("/oauth/introspect", data={"token": "t"}, headers=bearer("m", "", "sessions:write"))
    assert error_of(refused) == (403, "insufficient_scope")
    bad = http.post("/oauth/introspect", data={"token": "t"}, headers={"Authorization": "Bearer expired"})
    assert error_of(bad) == (401, "invalid_token")


def test_a_public_client_introspects_nothing(http: httpx.Client) -> None:
    answer = http.post("/oauth/introspect", data={"token": "t", "client_id": PUBLIC.id})
    assert error_of(answer) == (401, "invalid_client")


def test_metadata(http: httpx.Client) -> None:
    answer = http.get("/.well-known/oauth-authorization-server")
    found = answer.json()
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert found["issuer"] == ISS
    assert found["token_endpoint"] == f"{ISS}/oauth/token"
    assert found["jwks_uri"] == f"{ISS}/.well-known/jwks.json"
    assert found["response_types_supported"] == []
    assert "refresh_token" in found["grant_types_supported"]
    assert http.get("/.well-known/oauth-authorization-server/tenant").status_code == 404
    assert http.get("/.well-known/jwks.json").json() == {"keys": [{"kid": "kid-1"}]}


def test_an_issuer_may_be_reached_at_another_address_than_its_name() -> None:
    found = metadata("https://id.example/tenant", "https://auth.example/")
    assert found["issuer"] == "https://id.example/tenant"
    assert found["token_endpoint"] == "https://auth.example/oauth/token"

"""The error table of the front ends: every endpoint under every condition that it can meet."""

from __future__ import annotations

import httpx
import pytest
from kit.issuer_http import Issuer, bearer
from kit.pairs import NOW

from eventlog.errors import EventLogError, Overloaded, StoreUnavailable, UnknownOutcome
from services.issuer.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    InvalidToken,
    IssuerError,
    SessionEnded,
    SessionSuspended,
    StepUpRequired,
    Throttled,
    WrongPassword,
)
from services.times import iso

AT = iso(NOW)
INVALID = "Token is invalid or expired."
NOW_REFUSED = "The service cannot answer now. Send the same request again."

REFRESH = ("/api/token/refresh/", {"refresh": "a.b.c"})
VERIFY = ("/api/token/verify/", {"token": "a.b.c"})
LOGOUT = ("/api/token/logout/", {"refresh": "a.b.c"})
BLACKLIST = ("/api/token/blacklist/", {"refresh": "a.b.c"})
SIGN_IN = ("/api/token/", {"username": "ada", "password": "right"})
PASSWORD = ("/api/password", {"old_password": "a", "new_password": "b"})
WITH_BODY = [REFRESH, VERIFY, LOGOUT, BLACKLIST, SIGN_IN, PASSWORD]

ENDED = [
    (InvalidToken(), 401, {"detail": INVALID, "code": "token_not_valid", "reason": "invalid"}),
    (InvalidToken("expired"), 401, {"detail": INVALID, "code": "token_not_valid", "reason": "expired"}),
    (SessionEnded("expired", NOW), 401, {"detail": INVALID, "code": "token_not_valid", "reason": "expired", "at": AT}),
    (
        SessionEnded("refresh_reuse", NOW),
        401,
        {
            "detail": "The session has ended.",
            "code": "token_not_valid",
            "reason": "session_revoked",
            "why": "refresh_reuse",
            "at": AT,
        },
    ),
    (
        SessionSuspended("anomaly", NOW),
        403,
        {
            "detail": "The session has ended; this may be undone. Keep the token.",
            "code": "session_suspended",
            "why": "anomaly",
            "at": AT,
        },
    ),
    (
        StepUpRequired("hold-1", NOW),
        403,
        {"detail": "The session is on hold until a step-up is passed.", "code": "step_up_required", "at": AT},
    ),
]


def post(http: httpx.Client, endpoint: tuple[str, dict[str, str]], body: object = None) -> httpx.Response:
    path, usual = endpoint
    return http.post(path, json=usual if body is None else body, headers=bearer())


@pytest.mark.parametrize("endpoint", [REFRESH, VERIFY], ids=["refresh", "verify"])
@pytest.mark.parametrize(("error", "status", "body"), ENDED)
def test_why_a_token_is_refused(
    http: httpx.Client, issuer: Issuer, endpoint: tuple[str, dict[str, str]], error: IssuerError, status: int, body: object
) -> None:
    issuer.script.error = error
    answer = post(http, endpoint)
    assert (answer.status_code, answer.json()) == (status, body)
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("endpoint", [LOGOUT, BLACKLIST], ids=["logout", "blacklist"])
@pytest.mark.parametrize("reason", ["invalid", "expired"])
def test_a_logout_with_rubbish_is_a_mistake_and_no_reason_to_refresh(
    http: httpx.Client, issuer: Issuer, endpoint: tuple[str, dict[str, str]], reason: str
) -> None:
    issuer.script.error = InvalidToken(reason)
    answer = post(http, endpoint)
    assert (answer.status_code, answer.json()) == (400, {"detail": INVALID, "code": "token_not_valid", "reason": reason})


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=lambda endpoint: endpoint[0])
@pytest.mark.parametrize(
    "error", [StoreUnavailable("locked"), UnknownOutcome(), Overloaded()], ids=lambda error: type(error).__name__
)
def test_an_unknown_outcome_says_retry(
    http: httpx.Client, issuer: Issuer, endpoint: tuple[str, dict[str, str]], error: EventLogError
) -> None:
    issuer.script.error = error
    answer = post(http, endpoint)
    assert (answer.status_code, answer.json()) == (503, {"detail": NOW_REFUSED, "code": "retry"})
    assert int(answer.headers["retry-after"]) > 0
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("endpoint", [SIGN_IN, PASSWORD], ids=["sign in", "password"])
def test_too_many_failures(http: httpx.Client, issuer: Issuer, endpoint: tuple[str, dict[str, str]]) -> None:
    issuer.script.error = Throttled(7)
    answer = post(http, endpoint)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (429, "7", "throttled")


def test_a_wrong_password(http: httpx.Client) -> None:
    answer = post(http, SIGN_IN, {"username": "ada", "password": "wrong"})
    expected = {"detail": "No active account found with the given credentials.", "code": "no_active_account"}
    assert (answer.status_code, answer.json()) == (401, expected)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=lambda endpoint: endpoint[0])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'"text"', b"1", b'{"refresh": 1, "token": [], "username": {}, "old_password": 0}']
)
def test_a_malformed_body_names_its_fields(http: httpx.Client, endpoint: tuple[str, dict[str, str]], content: bytes) -> None:
    answer = http.post(endpoint[0], content=content, headers=bearer() | {"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["fields"]
    assert set(answer.json()) == {"detail", "code", "fields"}


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=lambda endpoint: endpoint[0])
def test_a_body_must_say_that_it_is_json(http: httpx.Client, endpoint: tuple[str, dict[str, str]]) -> None:
    """So no form of a foreign page can send it."""
    assert http.post(endpoint[0], data=endpoint[1], headers=bearer()).status_code == 400


def test_no_value_comes_back_in_a_refusal(http: httpx.Client) -> None:
    answer = post(http, SIGN_IN, {"username": ["s3cret"], "password": 12345678, "bind": {"ip": "s3cret"}})
    assert answer.status_code == 400
    assert "s3cret" not in answer.text
    assert "12345678" not in answer.text


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=lambda endpoint: endpoint[0])
def test_a_body_that_is_too_long(http: httpx.Client, issuer: Issuer, endpoint: tuple[str, dict[str, str]]) -> None:
    headers = bearer() | {"Content-Type": "application/json"}
    announced = http.post(endpoint[0], content=b"x" * 70_000, headers=headers)
    chunked = http.post(endpoint[0], content=iter([b"x" * 40_000] * 2), headers=headers)
    for answer in (announced, chunked):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert issuer.script.calls == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (WrongPassword(), 400, "wrong_password"),
        (InvalidRequest({"new_password": "It is too short."}), 400, "invalid_request"),
        (Conflict(), 409, "conflict"),
        (Forbidden("An account of a bring-your-own login has no password here."), 403, "forbidden"),
    ],
)
def test_what_can_be_wrong_with_a_new_password(
    http: httpx.Client, issuer: Issuer, error: IssuerError, status: int, code: str
) -> None:
    from_front = post(http, PASSWORD)
    assert from_front.status_code == 204
    issuer.script.error = error
    answer = post(http, PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


BEARERS = [
    ("", 401, "not_authenticated", None),
    ("malformed", 401, "token_not_valid", "invalid"),
    ("bad_signature", 401, "token_not_valid", "invalid"),
    ("expired", 401, "token_not_valid", "expired"),
    ("session_revoked", 401, "token_not_valid", "session_revoked"),
    ("token_outdated", 401, "token_not_valid", "token_outdated"),
    ("step_up_required", 403, "step_up_required", None),
    ("stale", 503, "retry", None),
]


@pytest.mark.parametrize(("token", "status", "code", "reason"), BEARERS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/sessions"),
        ("DELETE", "/api/sessions?scope=all"),
        ("PATCH", "/api/sessions/sid-1"),
        ("DELETE", "/api/sessions/sid-1"),
        ("POST", "/api/password"),
    ],
)
def test_access_tokens_that_do_not_do(
    http: httpx.Client, issuer: Issuer, method: str, path: str, token: str, status: int, code: str, reason: str | None
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = http.request(method, path, json={"device_name": "x", **PASSWORD[1]}, headers=headers)
    assert (answer.status_code, answer.json()["code"], answer.json().get("reason")) == (status, code, reason)
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert issuer.script.calls == []


@pytest.mark.parametrize(
    "path", ["/api/token/", "/api/token/refresh/", "/api/token/verify/", "/api/token/logout/", "/api/sessions", "/api/password"]
)
def test_nothing_is_kept_by_caches(http: httpx.Client, path: str) -> None:
    for answer in (http.post(path, json={}), http.get(path)):
        if answer.status_code != 405:
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["pragma"] == "no-cache"

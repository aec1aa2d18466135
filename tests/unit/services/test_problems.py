import json
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Body
from kit.serving import serving
from pydantic import BaseModel

from eventlog.errors import EventLogError, Overloaded, StoreUnavailable, UnknownOutcome
from services.problems import Problem, render
from services.runtime import Service

SUSPENDED = Problem(403, "session_suspended", "On hold.", why="anomaly", at="2026-11-24T19:22:27.123Z", headers={"X": "1"})


def test_front_ends_read_detail_and_code() -> None:
    answer = render("/api/token/refresh/", SUSPENDED)
    body = {"detail": "On hold.", "code": "session_suspended", "why": "anomaly", "at": "2026-11-24T19:22:27.123Z"}
    assert (answer.status_code, json.loads(bytes(answer.body))) == (403, body)
    assert answer.headers["X"] == "1"


def test_oauth_reads_error_and_is_never_cached() -> None:
    answer = render("/oauth/token", Problem(400, "invalid_grant", "No."))
    assert json.loads(bytes(answer.body)) == {"error": "invalid_grant", "error_description": "No."}
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_rest_reads_problem_json() -> None:
    answer = render("/v1/revocations", Problem(429, "capped", "Too many."))
    expected = {"type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": "Too many.", "code": "capped"}
    assert json.loads(bytes(answer.body)) == expected
    assert answer.media_type == "application/problem+json"


class Wanted(BaseModel):
    count: int


def _router(error: Exception) -> APIRouter:
    routes = APIRouter()

    @routes.post("/api/raise")
    @routes.post("/oauth/raise")
    @routes.post("/v1/raise")
    def _raise() -> None:
        raise error

    @routes.post("/v1/body")
    def _body(wanted: Annotated[Wanted, Body()]) -> None: ...

    @routes.post("/oauth/body")
    def _oauth_body(wanted: Annotated[Wanted, Body()]) -> None: ...

    return routes


@pytest.mark.parametrize("error", [UnknownOutcome("x"), Overloaded("x"), StoreUnavailable("x"), EventLogError("x")])
def test_a_log_that_cannot_answer_says_retry(error: EventLogError) -> None:
    with serving(Service("one", _router(error))) as url:
        front, oauth, rest = (httpx.post(f"{url}{path}/raise") for path in ("/api", "/oauth", "/v1"))
    assert {answer.status_code for answer in (front, oauth, rest)} == {503}
    assert {answer.headers["Retry-After"] for answer in (front, oauth, rest)} == {"1"}
    assert (front.json()["code"], oauth.json()["error"], rest.json()["code"]) == ("retry", "temporarily_unavailable", "retry")


def test_what_nobody_foresaw_says_nothing() -> None:
    with serving(Service("one", _router(RuntimeError("hunter2")))) as url:
        answers = [httpx.post(f"{url}{path}/raise") for path in ("/api", "/oauth", "/v1")]
    assert [answer.status_code for answer in answers] == [500, 500, 500]
    assert not any("hunter2" in answer.text for answer in answers)


def test_malformed_requests_name_the_field_and_not_the_value() -> None:
    with serving(Service("one", _router(RuntimeError()))) as url:
        wrong = httpx.post(f"{url}/v1/body", json={"count": "hunter2"})
        broken = httpx.post(f"{url}/v1/body", content=b"{", headers={"Content-Type": "application/json"})
        oauth = httpx.post(f"{url}/oauth/body")
    assert (wrong.status_code, wrong.json()["code"], list(wrong.json()["fields"])) == (400, "invalid_request", ["count"])
    assert (broken.status_code, list(broken.json()["fields"])) == (400, ["body"])
    assert (oauth.status_code, oauth.json()["error"]) == (400, "invalid_request")
    assert "body" in oauth.json()["error_description"]
    assert "hunter2" not in wrong.text


def test_unknown_paths_and_methods_have_the_shape_too() -> None:
    with serving(Service("one", _router(RuntimeError()))) as url:
        missing, method = httpx.get(f"{url}/v1/nowhere"), httpx.get(f"{url}/v1/body")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (method.status_code, method.json()["code"], method.headers["Allow"]) == (405, "method_not_allowed", "POST")

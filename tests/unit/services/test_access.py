from collections.abc import Iterator
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends
from kit.serving import serving

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from services.access import SCOPES, Access
from services.principal import Principal
from services.runtime import Service


def _claims(scope: str, sid: str | None = None) -> Claims:
    return Claims(
        iss="http://a", sub="u", aud=("a",), exp=2, iat=1, jti="j", client_id="c", sid=sid, sn=7, scope=frozenset(scope.split())
    )


TOKENS: dict[str, Claims | Denied] = {
    "reader": _claims("log:read"),
    "admin": _claims("admin"),
    "person": _claims("", sid="s"),
    **{denial.value: Denied(denial, "Words.") for denial in Denial},
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    access, routes = Access(TOKENS.__getitem__), APIRouter()

    @routes.get("/v1/log")
    def _log(caller: Annotated[Principal, Depends(access.require("log:read", "log:replicate"))]) -> dict[str, str]:
        return {"client": caller.client_id}

    @routes.get("/v1/keys")
    def _keys(_: Annotated[Principal, Depends(access.require("keys:write"))]) -> None: ...

    @routes.get("/api/sessions")
    def _sessions(caller: Annotated[Principal, Depends(access.signed_in)]) -> dict[str, object]:
        return {"sid": caller.sid, "sn": caller.sn}

    with serving(Service("one", routes)) as base:
        yield base


def _get(url: str, token: str) -> httpx.Response:
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}])
def test_without_a_token_the_challenge_names_no_error(url: str, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{url}/v1/log", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="rescind"'


def test_any_of_the_scopes_suffices_and_admin_has_all(url: str) -> None:
    assert _get(f"{url}/v1/log", "reader").json() == {"client": "c"}
    assert [_get(f"{url}{path}", "admin").status_code for path in ("/v1/log", "/v1/keys")] == [200, 200]


def test_without_the_scope_the_answer_names_it(url: str) -> None:
    answer = _get(f"{url}/v1/keys", "reader")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope", scope="keys:write"' in answer.headers["WWW-Authenticate"]


def test_a_machine_has_no_sessions_of_its_own(url: str) -> None:
    assert _get(f"{url}/api/sessions", "person").json() == {"sid": "s", "sn": 7}
    assert _get(f"{url}/api/sessions", "admin").status_code == 403


def test_every_denial_has_its_answer(url: str) -> None:
    answers = {denial: _get(f"{url}/api/sessions", denial.value) for denial in Denial}
    expected = dict.fromkeys(Denial, (401, "token_not_valid"))
    expected |= dict.fromkeys((Denial.STALE, Denial.NOT_READY), (503, "retry"))
    expected[Denial.STEP_UP_REQUIRED] = (403, "step_up_required")
    assert {denial: (answer.status_code, answer.json()["code"]) for denial, answer in answers.items()} == expected
    assert answers[Denial.SESSION_REVOKED].json()["reason"] == "session_revoked"
    assert answers[Denial.BAD_SIGNATURE].json()["reason"] == "invalid"
    assert 'error="invalid_token"' in answers[Denial.EXPIRED].headers["WWW-Authenticate"]


def test_a_scope_must_stand_in_the_table() -> None:
    access = Access(TOKENS.__getitem__)
    with pytest.raises(ValueError, match="logs:read"):
        access.require("logs:read")
    with pytest.raises(ValueError, match="table"):
        access.require()
    assert all(access.require(scope).scopes == (scope,) for scope in SCOPES)

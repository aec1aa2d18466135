"""Every endpoint that wants a scope refuses without it."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from kit.endpoints import Endpoint, endpoints
from kit.whole import Whole, token, whole

from services.access import SCOPES
from services.principal import ADMIN


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("scopes") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def token_with(everything: Whole) -> Callable[[frozenset[str]], str]:
    """An access token of a client with exactly these scopes."""
    made: dict[frozenset[str], str] = {}

    def with_scopes(scopes: frozenset[str]) -> str:
        if scopes not in made:
            with everything.client() as admin:
                client = admin.post("/v1/clients", json={"name": "test", "scopes": sorted(scopes)}).raise_for_status().json()
            made[scopes] = token(everything.url, client["client_id"], client["client_secret"])
        return made[scopes]

    return with_scopes


def _call(everything: Whole, endpoint: Endpoint, bearer: str | None) -> httpx.Response:
    """The status and headers of an answer; a stream is not read."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    url = everything.url + re.sub(r"\{[^}]*\}", "nobody", endpoint.path)
    with httpx.stream(endpoint.method, url, headers=headers, timeout=30) as response:
        return response


def _guarded(everything: Whole) -> list[Endpoint]:
    return [each for each in endpoints(everything.running.app) if each.scopes]


def test_without_a_token_401(everything: Whole) -> None:
    answers = {each.name: _call(everything, each, None) for each in _guarded(everything)}
    assert len(answers) > 20
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert all(answer.headers["WWW-Authenticate"].startswith("Bearer ") for answer in answers.values())


def test_with_all_other_scopes_403(everything: Whole, token_with: Callable[[frozenset[str]], str]) -> None:
    every = frozenset(SCOPES) - {ADMIN}
    answers = {each.name: _call(everything, each, token_with(every - set(each.scopes))) for each in _guarded(everything)}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 403)


def test_with_the_scope_alone_it_lets_in(everything: Whole, token_with: Callable[[frozenset[str]], str]) -> None:
    statuses = {
        f"{each.name} {scope}": _call(everything, each, token_with(frozenset({scope}))).status_code
        for each in _guarded(everything)
        for scope in each.scopes
    }
    assert not {name: status for name, status in statuses.items() if status in {401, 403} or status >= 500}


def test_a_persons_endpoints_refuse_machines(everything: Whole) -> None:
    persons = [each for each in endpoints(everything.running.app) if each.person]
    assert persons
    assert {_call(everything, each, None).status_code for each in persons} == {401}
    assert {_call(everything, each, everything.admin).status_code for each in persons} == {403}

"""The description shows the error table, so that nobody learns it in production."""

from __future__ import annotations

import httpx
import pytest


@pytest.fixture
def paths(http: httpx.Client) -> dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]:
    found: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]] = http.get("/openapi.json").json()["paths"]
    return found


def test_each_path_is_described_in_one_form(paths: dict[str, object]) -> None:
    assert {path for path in paths if path.startswith("/api/")} == {
        "/api/token/",
        "/api/token/refresh/",
        "/api/token/verify/",
        "/api/token/logout/",
        "/api/token/blacklist/",
        "/api/password",
        "/api/sessions",
        "/api/sessions/{sid}",
    }


@pytest.mark.parametrize("code", ["token_not_valid", "session_revoked"])
def test_a_refresh_describes_why_it_refuses(
    paths: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]], code: str
) -> None:
    responses = paths["/api/token/refresh/"]["post"]["responses"]
    assert f"`{code}`" in str(responses["401"]["description"])
    assert "`session_suspended`" in str(responses["403"]["description"])
    assert "`step_up_required`" in str(responses["403"]["description"])
    assert "`invalid_request`" in str(responses["400"]["description"])
    assert "`retry`" in str(responses["503"]["description"])


def test_nowhere_does_a_422_appear(paths: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]) -> None:
    ours = [path for path in paths if path.startswith(("/api/", "/v1/", "/oauth/"))]
    assert ours
    for path in ours:
        for operation in paths[path].values():
            assert "422" not in operation["responses"], path
            assert "503" in operation["responses"], path


def test_oauth_bodies_are_forms(paths: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]) -> None:
    for path in ("/oauth/token", "/oauth/revoke", "/oauth/introspect"):
        assert list(paths[path]["post"]["requestBody"]["content"]) == ["application/x-www-form-urlencoded"]

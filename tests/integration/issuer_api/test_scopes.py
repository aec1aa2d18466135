"""Scope by endpoint: each refuses without a token, and without the scope."""

from __future__ import annotations

import httpx
import pytest
from kit.issuer_http import Issuer, bearer

from services.access import SCOPES

PROTECTED = [
    ("POST", "/v1/sessions", "sessions:write"),
    ("PATCH", "/v1/sessions/sid-1", "sessions:write"),
    ("POST", "/v1/subjects", "subjects:write"),
    ("PATCH", "/v1/subjects/person", "subjects:write"),
    ("DELETE", "/v1/subjects/person", "subjects:write"),
    ("POST", "/v1/subjects/person/disable", "subjects:write"),
    ("POST", "/v1/subjects/person/enable", "subjects:write"),
    ("POST", "/v1/subjects/person/password", "subjects:write"),
    ("GET", "/v1/subjects/person/sessions", "subjects:write"),
    ("POST", "/v1/clients", "clients:write"),
    ("GET", "/v1/clients", "clients:write"),
    ("POST", "/v1/clients/first-party/secret", "clients:write"),
    ("DELETE", "/v1/clients/first-party", "clients:write"),
    ("POST", "/v1/keys/rotate", "keys:write"),
    ("GET", "/v1/log", "log:read"),
    ("GET", "/v1/log/stream", "log:read"),
    ("GET", "/v1/log/records", "log:replicate"),
    ("POST", "/v1/subject-keys", "log:personal"),
]
BODY = {"subject": "s", "username": "a", "password": "p", "scopes": [], "name": "n", "use": "access", "subjects": []}


@pytest.mark.parametrize(("method", "path", "scope"), PROTECTED)
def test_every_endpoint_refuses_without_its_scope(http: httpx.Client, issuer: Issuer, method: str, path: str, scope: str) -> None:
    nobody = http.request(method, path, json=BODY)
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="rescind"')
    for others in (SCOPES.keys() - {scope, "admin"}, set[str]()):
        other = http.request(method, path, json=BODY, headers=bearer("m", "", " ".join(others)))
        assert (other.status_code, other.json()["code"]) == (403, "insufficient_scope")
        assert f'scope="{scope}"' in other.headers["www-authenticate"]
    assert issuer.script.calls == []


@pytest.mark.parametrize(("method", "path", "scope"), [row for row in PROTECTED if row[1] != "/v1/log/stream"])
def test_with_it_or_as_admin_it_answers(http: httpx.Client, method: str, path: str, scope: str) -> None:
    for scopes in (scope, "admin"):
        assert http.request(method, path, json=BODY, headers=bearer("m", "", scopes)).status_code in {200, 201, 204, 400}


def test_no_endpoint_is_missing_here(http: httpx.Client) -> None:
    """OpenAPI names every endpoint that asks for an access token."""
    described = {
        (method.upper(), path.replace("{sub}", "person").replace("{sid}", "sid-1").replace("{client_id}", "first-party"))
        for path, operations in http.get("/openapi.json").json()["paths"].items()
        for method, operation in operations.items()
        if path.startswith("/v1/") and "security" in operation
    }
    assert described == {(method, path) for method, path, _ in PROTECTED}

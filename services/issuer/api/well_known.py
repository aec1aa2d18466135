"""/.well-known/*: the authorization server's metadata (RFC 8414) and its keys (RFC 7517)."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from services.access import SCOPES
from services.issuer.api.parts import Parts
from services.issuer.api.routing import machine_routes
from services.issuer.errors import NotFound

METADATA = "/.well-known/oauth-authorization-server"
JWKS = "/.well-known/jwks.json"
_SECRET = ["client_secret_basic", "client_secret_post"]


def metadata(iss: str, url: str) -> dict[str, object]:
    """RFC 8414 section 2."""
    url = url.rstrip("/")
    return {
        "issuer": iss,
        "token_endpoint": f"{url}/oauth/token",
        "revocation_endpoint": f"{url}/oauth/revoke",
        "introspection_endpoint": f"{url}/oauth/introspect",
        "jwks_uri": f"{url}{JWKS}",
        "scopes_supported": list(SCOPES),
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": [*_SECRET, "none"],
        "revocation_endpoint_auth_methods_supported": [*_SECRET, "none"],
        "introspection_endpoint_auth_methods_supported": [*_SECRET, "bearer"],
    }


def routes(parts: Parts) -> APIRouter:
    """Public, and cached for a minute: a key is published much longer before it signs."""
    api = machine_routes()
    issuer_path = urlsplit(parts.iss).path.strip("/")

    @api.get(METADATA)
    def root() -> Response:
        """RFC 8414 metadata."""
        return _public(metadata(parts.iss, parts.url or parts.iss))

    @api.get(f"{METADATA}/{{path:path}}", include_in_schema=False)
    def with_path(path: str) -> Response:
        """RFC 8414 section 3.1: an issuer with a path has it behind the well-known part."""
        if path.strip("/") != issuer_path:
            raise NotFound
        return _public(metadata(parts.iss, parts.url or parts.iss))

    @api.get(JWKS)
    def jwks() -> Response:
        """The keys of access tokens."""
        return _public(parts.keys.jwks())

    return api


def _public(body: object) -> Response:
    return JSONResponse(body, headers={"Cache-Control": "public, max-age=60"})

"""The parts of docs/ that are made from the code. `make docs` writes them, tests/architecture compares them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from fastapi import FastAPI
from kit import asyncapi
from kit.endpoints import Endpoint, endpoints

from services.access import SCOPES
from services.cluster.settings import OPTIONS
from services.options import table
from services.principal import ADMIN
from services.settings import Settings
from services.wiring import compose

ROOT = Path(__file__).resolve().parents[2]
ASYNCAPI = ROOT / "docs/asyncapi.yaml"
_BY_PATH = {"/oauth/": "a client", "/api/token/logout": "whoever has the token", "/api/token/blacklist": "whoever has the token"}
_BEGIN, _END = "<!-- made by `make docs`: begin -->", "<!-- made by `make docs`: end -->"

ASKED_INSIDE: Mapping[str, Sequence[str]] = {
    "log:personal": ["`GET /v1/log`, `GET /v1/log/stream`: the member `personal`", "`GET /v1/findings`: the member `evidence`"],
    "introspect": ["`POST /oauth/introspect`: tokens of other clients"],
}
"""Scopes that an endpoint asks for itself, after it has let the caller in."""


def served_app() -> FastAPI:
    """The application of `python -m services all`, to be looked at; its databases are gone already."""
    with tempfile.TemporaryDirectory() as folder, compose(Settings(data=Path(folder)), "http://127.0.0.1:8000") as running:
        running.app.openapi()
        return running.app


def pages(found: Sequence[Endpoint]) -> dict[Path, str]:
    """The generated part of each page."""
    return {
        ROOT / "docs/operations.md": table(OPTIONS),
        ROOT / "docs/scopes.md": scopes(found),
        ROOT / "docs/endpoints.md": listed(found),
    }


def scopes(found: Sequence[Endpoint]) -> str:
    """Scope x endpoint."""
    rows = [
        f"| `{scope}` | {words} | {'<br>'.join(_asking(scope, found)) or 'all of these'} |" for scope, words in SCOPES.items()
    ]
    return "\n".join(["| scope | allows to | endpoints |", "|---|---|---|", *rows])


def listed(found: Sequence[Endpoint]) -> str:
    """Every endpoint, and who may call it."""
    rows = [f"| `{each.name}` | {each.words} | {_who(each)} |" for each in found]
    return "\n".join(["| endpoint | what it does | who may |", "|---|---|---|", *rows])


def with_part(page: str, part: str) -> str:
    """The page with its generated part replaced; ValueError when it has no place for one."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        msg = "the page has no generated part"
        raise ValueError(msg)
    return f"{before}{_BEGIN}\n\n{part}\n\n{_END}{after}"


def _asking(scope: str, found: Sequence[Endpoint]) -> list[str]:
    if scope == ADMIN:
        return []
    return [f"`{each.name}`" for each in found if scope in each.scopes] + list(ASKED_INSIDE.get(scope, ()))


def _who(endpoint: Endpoint) -> str:
    if endpoint.scopes:
        return " or ".join(f"`{scope}`" for scope in endpoint.scopes)
    if endpoint.person:
        return "the person who is signed in"
    if endpoint.verifier:
        return "a verifier"
    return next((who for prefix, who in _BY_PATH.items() if endpoint.path.startswith(prefix)), "anybody")


def main() -> int:
    """Write the parts."""
    for path, part in pages(endpoints(served_app())).items():
        path.write_text(with_part(path.read_text("utf-8"), part), "utf-8")
    ASYNCAPI.write_text(asyncapi.text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

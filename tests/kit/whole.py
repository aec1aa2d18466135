"""All of `python -m services all` in this process, behind a real uvicorn: for tests that look at many endpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from kit.serving import served

from services.server import address, listen
from services.settings import from_arguments
from services.wiring import Running, compose


@dataclass(frozen=True, slots=True)
class Whole:
    """`admin` is an access token of the administrator's client."""

    url: str
    running: Running
    data: Path
    admin: str

    def client(self, token: str = "") -> httpx.Client:
        """Speaks to it, as an administrator unless another token is given."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token or self.admin}"}, timeout=30)


@contextmanager
def whole(data: Path, argv: Sequence[str] = ()) -> Iterator[Whole]:
    """Everything, on SQLite in `data` unless `argv` says otherwise."""
    settings = from_arguments(["--data", str(data), "--port", "0", *argv], {})
    listener = listen(settings.host, settings.port)
    url = address(listener, settings.host, tls=False)
    with compose(settings, url) as running, served(running.app, running.streams, running.loops, listener):
        told = json.loads((data / "admin-client.json").read_text("utf-8"))
        yield Whole(url, running, data, token(url, told["client_id"], told["client_secret"]))


def token(url: str, client_id: str, secret: str) -> str:
    """An access token of a client's own, with all its scopes."""
    answer = httpx.post(f"{url}/oauth/token", auth=(client_id, secret), data={"grant_type": "client_credentials"}, timeout=30)
    made: str = answer.raise_for_status().json()["access_token"]
    return made

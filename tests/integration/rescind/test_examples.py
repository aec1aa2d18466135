"""The examples run as their first line says, but for the address of the service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from kit.feed_server import CREDENTIAL
from kit.processes import ROOT, address, running
from kit.verifying import Platform, platform

EXAMPLES = ROOT / "docs" / "examples"
UVICORN = ["-m", "uvicorn", "--port", "0"]
GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--preload", "--graceful-timeout", "1"]
SERVERS = {
    "fastapi_app:app": UVICORN,
    "asgi_app:app": UVICORN,
    "flask_app:app": GUNICORN,
    "django_app:application": GUNICORN,
}


@pytest.fixture
def world() -> Iterator[Platform]:
    with platform() as made:
        yield made


def copy(name: str, folder: Path, world: Platform) -> None:
    text = (EXAMPLES / f"{name}.py").read_text()
    assert "http://127.0.0.1:8000" in text
    (folder / f"{name}.py").write_text(text.replace("http://127.0.0.1:8000", world.feed.url))
    (folder / "verifier.credential").write_text(f"{CREDENTIAL}\n")


def until(what: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    pause = threading.Event()
    while not what():
        assert time.monotonic() < give_up, "it never came to that"
        pause.wait(0.01)


@pytest.mark.parametrize("app", SERVERS)
def test_an_example_refuses_a_revoked_session(app: str, tmp_path: Path, world: Platform) -> None:
    copy(app.partition(":")[0], tmp_path, world)
    workers = 2 if SERVERS[app] is GUNICORN else 1
    with running([*SERVERS[app], app], folder=tmp_path) as process:
        base = address(process)

        def get(path: str, headers: dict[str, str] | None = None) -> httpx.Response:
            return httpx.get(f"{base}{path}", headers=headers)

        def followers() -> set[object]:
            return {ack["instance"] for ack in world.feed.state.acks}

        until(lambda: get("/readyz").status_code == 200 and len(followers()) == workers)
        assert get("/me").status_code == 401
        assert get("/me", world.header()).json()["sub"] == "ann"
        poor, rich = world.header(2), world.header(2, jti="t2", scope="payments:write")
        refused = httpx.post(f"{base}/payments", headers=poor)
        assert refused.status_code == 403
        assert 'error="insufficient_scope", scope="payments:write"' in refused.headers["www-authenticate"]
        assert httpx.post(f"{base}/payments", headers=rich).json() == {"paid": True}
        world.end(1)
        for _ in range(4 * workers):  # whichever process answers
            answer = get("/me", world.header())
            assert (answer.status_code, answer.json()["reason"]) == (401, "session_revoked")
        assert get("/me", world.header(2)).status_code == 200


@pytest.mark.parametrize("app", ["fastapi_app:app", "flask_app:app"])
def test_an_example_shows_its_metrics(app: str, tmp_path: Path, world: Platform) -> None:
    copy(app.partition(":")[0], tmp_path, world)
    with running([*SERVERS[app], app], folder=tmp_path) as process:
        base = address(process)
        until(lambda: "rescind_ready 1" in httpx.get(f"{base}/metrics").text)


def test_workers_follow_by_themselves_even_if_their_parent_did_before_the_fork(tmp_path: Path, world: Platform) -> None:
    copy("flask_app", tmp_path, world)
    with (tmp_path / "flask_app.py").open("a") as source:
        source.write("\n_ = verifier.ready  # in the parent, before it forks\n")
    with running([*GUNICORN, "flask_app:app"], folder=tmp_path) as process:
        base = address(process)
        until(
            lambda: (
                httpx.get(f"{base}/readyz").status_code == 200 and len({ack["instance"] for ack in world.feed.state.acks}) == 3
            )
        )
        world.end(1)
        assert [httpx.get(f"{base}/me", headers=world.header()).status_code for _ in range(8)] == [401] * 8

"""Guarantee 6, on the whole of it: a process that is killed, and databases that are put back to an older state."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from kit.server_process import ServerProcess, server_process
from kit.waiting import until

from rescind import Claims, Denied, Verifier

PASSWORD = "correct horse battery"
STORES = ("issuer.db", "revocation.db")


@dataclass(frozen=True)
class Person:
    access: str
    refresh: str


@dataclass(frozen=True)
class Platform:
    """Speaks to one installation, whichever process serves it."""

    http: httpx.Client
    admin: dict[str, str]

    def account(self) -> str:
        body = {"username": "maya", "password": PASSWORD}
        sub: str = self.http.post("/v1/subjects", headers=self.admin, json=body).raise_for_status().json()["sub"]
        return sub

    def sign_in(self) -> Person:
        pair = self.http.post("/api/token/", json={"username": "maya", "password": PASSWORD}).raise_for_status().json()
        return Person(pair["access"], pair["refresh"])

    def log_out(self, person: Person) -> None:
        self.http.post("/api/token/logout/", json={"refresh": person.refresh}).raise_for_status()

    def session_of(self, person: Person) -> str:
        answer = self.http.get("/api/sessions", headers={"Authorization": f"Bearer {person.access}"}).raise_for_status()
        sid: str = next(each["sid"] for each in answer.json()["sessions"] if each["current"])
        return sid

    def verifier(self) -> str:
        made = self.http.post("/v1/verifiers", headers=self.admin, json={"name": "shop"}).raise_for_status().json()
        credential: str = made["credential"]
        return credential

    def revoke(self, sid: str) -> None:
        body = {"target": {"type": "session", "id": sid}, "reason": "admin"}
        self.http.post("/v1/revocations", headers=self.admin, json=body).raise_for_status()


@contextmanager
def platform(server: ServerProcess) -> Iterator[Platform]:
    told = server.credentials()
    with httpx.Client(base_url=server.url, timeout=30) as http:
        until(lambda: http.get("/readyz").status_code == 200, timeout=30)
        client = (told["client_id"], told["client_secret"])
        token = http.post("/oauth/token", auth=client, data={"grant_type": "client_credentials"}).raise_for_status().json()
        yield Platform(http, {"Authorization": f"Bearer {token['access_token']}"})


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return str(taken.getsockname()[1])


def back_up(data: Path, copies: Path) -> None:
    copies.mkdir()
    for name in STORES:
        with closing(sqlite3.connect(data / name)) as source, closing(sqlite3.connect(copies / name)) as target:
            source.backup(target)


def put_back(data: Path, copies: Path) -> None:
    for name in STORES:
        for leftover in (f"{name}-wal", f"{name}-shm"):
            (data / leftover).unlink(missing_ok=True)
        shutil.copy(copies / name, data / name)


def refused(verifier: Verifier, *people: Person) -> bool:
    return all(isinstance(verifier.verify(person.access), Denied) for person in people)


def accepted(verifier: Verifier, *people: Person) -> bool:
    return all(isinstance(verifier.verify(person.access), Claims) for person in people)


def test_no_verifier_accepts_what_it_had_refused(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with server_process(data, "--port", port) as server, platform(server) as maya:
        maya.account()
        credential = (
            maya.http.post("/v1/verifiers", headers=maya.admin, json={"name": "shop"}).raise_for_status().json()["credential"]
        )
        verifier = Verifier(issuers=server.url, audience="rescind", feed=server.url, credential=credential, max_staleness=5)
        with closing(verifier):
            first, second, stays = maya.sign_in(), maya.sign_in(), maya.sign_in()
            until(lambda: accepted(verifier, first, second, stays))
            back_up(data, tmp_path / "copies")
            late = maya.sign_in()
            maya.log_out(first)
            maya.revoke(maya.session_of(second))
            maya.log_out(late)
            until(lambda: refused(verifier, first, second, late))
            server.kill()
            put_back(data, tmp_path / "copies")
            with server_process(data, "--port", port) as again, platform(again) as restored:
                until(lambda: _has_entered(verifier, 2, first, second, late), timeout=30)
                until(lambda: accepted(verifier, stays), timeout=30)
                assert refused(verifier, first, second, late)
                new = restored.sign_in()
                until(lambda: accepted(verifier, new))
                assert refused(verifier, first, second, late)
                assert again.stop() == 0
    log = data.with_name("data.log").read_text()
    assert "put back to an older state" in log


def _has_entered(verifier: Verifier, epoch: int, *dead: Person) -> bool:
    """Look at every moment on the way, too."""
    assert refused(verifier, *dead)
    return verifier.position is not None and verifier.position.epoch >= epoch

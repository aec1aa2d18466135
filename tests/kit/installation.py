"""One installation over HTTP, whichever process serves it: an administrator and a person with many sessions."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from kit.server_process import ServerProcess
from kit.waiting import until

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Pair:
    """What a sign-in or a refresh answered."""

    access: str
    refresh: str


@dataclass(frozen=True)
class Installation:
    """`admin`: the headers of the administrator's client."""

    http: httpx.Client
    admin: dict[str, str]

    def account(self) -> str:
        body = {"username": "maya", "password": PASSWORD}
        sub: str = self.http.post("/v1/subjects", headers=self.admin, json=body).raise_for_status().json()["sub"]
        return sub

    def sign_in(self) -> Pair:
        return _pair(self.http.post("/api/token/", json={"username": "maya", "password": PASSWORD}))

    def refresh(self, pair: Pair) -> Pair:
        return _pair(self.http.post("/api/token/refresh/", json={"refresh": pair.refresh}))

    def log_out(self, pair: Pair) -> None:
        self.http.post("/api/token/logout/", json={"refresh": pair.refresh}).raise_for_status()

    def session_of(self, pair: Pair) -> str:
        answer = self.http.get("/api/sessions", headers={"Authorization": f"Bearer {pair.access}"}).raise_for_status()
        sid: str = next(each["sid"] for each in answer.json()["sessions"] if each["current"])
        return sid

    def verifier(self) -> str:
        made = self.http.post("/v1/verifiers", headers=self.admin, json={"name": "shop"}).raise_for_status().json()
        credential: str = made["credential"]
        return credential

    def revoke(self, sid: str) -> str:
        body = {"target": {"type": "session", "id": sid}, "reason": "admin"}
        made: str = self.http.post("/v1/revocations", headers=self.admin, json=body).raise_for_status().json()["id"]
        return made


@contextmanager
def installation(server: ServerProcess) -> Iterator[Installation]:
    """Once it is ready."""
    told = server.credentials()
    with httpx.Client(base_url=server.url, timeout=30) as http:
        until(lambda: http.get("/readyz").status_code == 200, timeout=30)
        client = (told["client_id"], told["client_secret"])
        token = http.post("/oauth/token", auth=client, data={"grant_type": "client_credentials"}).raise_for_status().json()
        yield Installation(http, {"Authorization": f"Bearer {token['access_token']}"})


def free_port() -> str:
    """One that nobody listens on, to be used again after a restart."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return str(taken.getsockname()[1])


def _pair(answer: httpx.Response) -> Pair:
    made = answer.raise_for_status().json()
    return Pair(made["access"], made["refresh"])

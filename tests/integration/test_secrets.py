"""What people and programs keep secret reaches no log, and no database but where it belongs."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest
from kit.server_process import ServerProcess, server_process

USERNAME, SUB = "maya.lindqvist", "kim@customer.example"
PASSWORD, WRONG, NEW = "correct horse battery", "a secret typed by mistake", "staple battery horse"
ADDRESS, AGENT, DEVICE = "198.51.100.77", "Mozilla/5.0 SecretBrowser/9", "device-of-maya-0001"


@dataclass(frozen=True)
class Left:
    """What a server left behind, and what it was told in confidence, by kind."""

    log: str
    databases: Mapping[str, bytes]
    secrets: Mapping[str, str]
    personal: Mapping[str, str]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    data = tmp_path_factory.mktemp("secrets") / "data"
    with server_process(data, "--log-level", "debug", "--trusted-proxy", "127.0.0.1") as server:
        secrets = _use(server)
        assert server.stop() == 0
        log = server.log.read_text()
    return Left(
        log=log,
        databases={path.name: path.read_bytes() for path in data.iterdir() if ".db" in path.name},
        secrets=secrets | {"password": PASSWORD, "wrong password": WRONG, "new password": NEW},
        personal={"username": USERNAME, "sub": SUB, "address": ADDRESS, "agent": AGENT, "device": DEVICE},
    )


def _use(server: ServerProcess) -> dict[str, str]:
    """Sign in, fail, refresh twice with one token, change the password, register; the secrets that were handed out."""
    told = server.credentials()
    headers = {"X-Forwarded-For": ADDRESS, "User-Agent": AGENT, "Rescind-Device": DEVICE}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as http:
        client = (told["client_id"], told["client_secret"])
        admin = http.post("/oauth/token", auth=client, data={"grant_type": "client_credentials"}).json()["access_token"]
        bearer = {"Authorization": f"Bearer {admin}"}
        http.post("/v1/subjects", headers=bearer, json={"username": USERNAME, "password": PASSWORD}).raise_for_status()
        verifier = http.post("/v1/verifiers", headers=bearer, json={"name": "shop"}).raise_for_status().json()
        login = {"username": USERNAME, "password": PASSWORD, "device_name": DEVICE}
        for wrong in ({"password": WRONG}, {"username": WRONG}):
            assert http.post("/api/token/", json=login | wrong).status_code == 401
        first = http.post("/api/token/", json=login).raise_for_status().json()
        child = http.post("/api/token/refresh/", json={"refresh": first["refresh"]}).raise_for_status().json()
        http.post("/api/token/refresh/", json={"refresh": child["refresh"]}).raise_for_status()
        assert http.post("/api/token/refresh/", json={"refresh": first["refresh"]}).status_code == 401
        again = http.post("/api/token/", json=login | {"cookie": True}).raise_for_status()
        change = {"old_password": PASSWORD, "new_password": NEW}
        http.post("/api/password", headers={"Authorization": f"Bearer {again.json()['access']}"}, json=change).raise_for_status()
        start = {"subject": SUB, "client_ip": ADDRESS, "user_agent": AGENT, "device": DEVICE}
        owner = {"name": "login", "scopes": ["sessions:write"]}
        made = http.post("/v1/clients", headers=bearer, json=owner).raise_for_status().json()
        login_client = (made["client_id"], made["client_secret"])
        own = http.post("/oauth/token", auth=login_client, data={"grant_type": "client_credentials"}).json()["access_token"]
        theirs = http.post("/v1/sessions", headers={"Authorization": f"Bearer {own}"}, json=start).raise_for_status().json()
        target = {"target": {"type": "subject", "id": SUB}, "reason": "admin"}
        http.post("/v1/revocations", headers=bearer, json=target).raise_for_status()
        http.get(f"/api/token/?token={first['access']}")
        http.get("/v1/feed", headers={"Authorization": f"Bearer {verifier['credential']}x"})
    return {
        "admin token": admin,
        "access token": first["access"],
        "refresh token": first["refresh"],
        "child": child["refresh"],
        "their access token": theirs["access"],
        "their refresh token": theirs["refresh"],
        "cookie": next(value for name, value in again.cookies.items() if "refresh" in name),
        "client secret": told["client_secret"],
        "administrator's password": told["password"],
        "new client secret": made["client_secret"],
        "verifier credential": verifier["credential"],
    }


def _found(kept: Mapping[str, str], text: bytes) -> set[str]:
    """Which of them stand there; of a token, its signature counts, too."""
    return {name for name, value in kept.items() if any(part in text for part in _parts(value))}


def _parts(value: str) -> set[bytes]:
    return {value.encode(), *(part.encode() for part in value.split(".")[2:] if len(part) > 20)}


def test_nothing_stands_in_the_log(left: Left) -> None:
    assert '"route": "/api/token/"' in left.log
    assert not _found({**left.secrets, **left.personal}, left.log.encode())


def test_no_secret_stands_in_a_database(left: Left) -> None:
    assert {"issuer.db", "revocation.db", "anomaly.db"} <= left.databases.keys()
    assert not {(name, kind) for name, text in left.databases.items() for kind in _found(left.secrets, text)}


def test_places_devices_and_names_stand_in_clear_nowhere_but_in_the_accounts(left: Left) -> None:
    accounts = {"username", "sub"}
    found = {(name, kind) for name, text in left.databases.items() for kind in _found(left.personal, text)}
    assert found <= {(name, kind) for name in left.databases if name.startswith("issuer.db") for kind in accounts}
    assert ("issuer.db", "username") in found  # or the search sees nothing

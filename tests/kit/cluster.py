"""The cluster's services as processes of their own, each to be started, killed and started again, in any order."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from kit.readyz_page import unexplained
from kit.server_process import run
from kit.waiting import until

from demo.joining import add_verifier
from demo.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("issuer", "relay", "revocation", "anomaly")
_START_S = 150.0


@dataclass(slots=True)
class Role:
    """One process of a service. Its port stays when it starts again.

    `ca`: whom to trust with its certificate; None where it speaks HTTP in the clear. `tree`: the code that it runs.
    """

    name: str
    port: int
    command: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    ca: Path | None = None
    tree: Path = ROOT
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, env=self.environ, cwd=self.tree, stdout=log, stderr=log)

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        assert self.process
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> None:
        stop_all([self])

    def reach(self, address: str, instead: str) -> None:
        """Let it find a peer's base URL elsewhere, from its next start on: behind a proxy."""
        self.command = [each.replace(address, instead) for each in self.command]

    def missing(self) -> Mapping[str, str] | None:
        """What /readyz misses; None while nobody answers."""
        said = self._said()
        if said is None:
            return None
        found: Mapping[str, str] = said["missing"]
        return found

    def warnings(self) -> Mapping[str, str]:
        """What /readyz warns of."""
        found: Mapping[str, str] = (self._said() or {}).get("warnings", {})
        return found

    def _said(self) -> Mapping[str, Any] | None:
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=2, verify=trusting(self.ca, named=False))
        except httpx.TransportError:
            return None
        if not answer.content:  # the demo's APIs say it by the status alone
            return {"missing": {} if answer.is_success else {"start": "no answer"}}
        found: Mapping[str, Any] = answer.json()
        assert unexplained([*found["missing"], *found["warnings"]]) == [], "docs/operations.md does not explain it"
        return found

    def await_ready(self) -> None:
        try:
            until(lambda: self.missing() == {}, timeout=_START_S)
        except AssertionError:
            message = f"{self.name} is not ready: {self.missing()}\n{self.log.read_text('utf-8')[-3000:]}"
            raise AssertionError(message) from None


def stop_all(roles: Iterable[Role]) -> None:
    """Ask all at once, then wait for each."""
    running = [role for role in roles if role.process and role.process.poll() is None]
    for role in running:
        assert role.process
        role.process.send_signal(signal.SIGTERM)
    for role in running:
        assert role.process
        try:
            role.process.wait(20)
        except subprocess.TimeoutExpired:
            role.kill()


@dataclass(slots=True)
class Cluster:
    """`roles` by name: `issuer-1`, `issuer-2`, …"""

    folder: Path
    environ: Mapping[str, str]
    tls: bool = False
    roles: dict[str, Role] = field(default_factory=dict)

    @property
    def credentials(self) -> Path:
        return self.folder / "credentials"

    @property
    def ca(self) -> Path | None:
        """Whom to trust with the services' certificates; None where there are none."""
        return self.credentials / "ca" / "ca.crt" if self.tls else None

    @property
    def iss(self) -> str:
        return self.of("issuer")[0].url

    def of(self, service: str) -> Sequence[Role]:
        return [role for name, role in self.roles.items() if name.startswith(f"{service}-")]

    def bootstrap(self) -> None:
        done = run("bootstrap", *self.bootstrap_options, environ=self.environ)
        assert done.returncode == 0, done.stderr

    @property
    def bootstrap_options(self) -> Sequence[str]:
        certificates = [f"--certificate={role}" for role in ROLES] if self.tls else []
        return ["--credentials", str(self.credentials), "--issuer", self.iss, *certificates]

    def topics(self) -> None:
        done = run("topics", environ=self.environ)
        assert done.returncode == 0, done.stderr

    def start(self, *names: str) -> None:
        for name in names or self.roles:
            self.roles[name].start()

    def await_ready(self) -> None:
        for role in self.roles.values():
            role.await_ready()

    def admin(self) -> dict[str, str]:
        """The headers of a client that may do everything."""
        found = self.stage()
        asked = {"grant_type": "client_credentials"}
        client = (found.client_id, found.client_secret)
        answer = httpx.post(f"{self.iss}/oauth/token", auth=client, data=asked, timeout=15, verify=trusting(self.ca))
        return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}

    def stage(self, apis: Mapping[str, str] | None = None) -> Stage:
        admin = json.loads((self.credentials / "admin-client.json").read_text("utf-8"))
        return Stage(
            rescind=self.iss,
            revocation=self.of("revocation")[0].url,
            anomaly=self.of("anomaly")[0].url,
            apis=apis or {},
            ca=self.ca,
            client_id=admin["client_id"],
            client_secret=admin["client_secret"],
        )


@contextmanager
def cluster(
    folder: Path,
    *,
    database: str,
    kafka: str,
    each: int = 1,
    partitions: int = 4,
    replication: int = 1,
    options: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    tls: bool = False,
) -> Iterator[Cluster]:
    """Nothing runs yet; what was started is stopped at the end. `each`: processes of each service.

    `options`, `environ`: for all of them. `tls`: they have certificates, so that bootstrap must run before they start.
    """
    given = {
        "RESCIND_DATABASE": database,
        "RESCIND_KAFKA": kafka,
        "RESCIND_KAFKA_PARTITIONS": str(partitions),
        "RESCIND_KAFKA_REPLICATION": str(replication),
        **(environ or {}),
    }
    made = Cluster(folder, given, tls)
    ports = dict(zip([f"{role}-{n}" for role in ROLES for n in range(1, each + 1)], free_ports(len(ROLES) * each), strict=True))
    scheme = "https" if tls else "http"
    urls = [f"--issuer-url={scheme}://127.0.0.1:{port}" for name, port in ports.items() if name.startswith("issuer")]
    urls += [f"--revocation-url={scheme}://127.0.0.1:{port}" for name, port in ports.items() if name.startswith("revocation")]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RESCIND_")}
    for name, port in ports.items():
        service = name.partition("-")[0]
        own = made.credentials / service
        command = [sys.executable, "-m", "services", service, "--port", str(port), "--credential", str(own / "credential.json")]
        command += [*urls, *options, "--checkpoints", str(folder / "checkpoints"), "--trusted-proxy", "127.0.0.1"]
        if tls:
            command += ["--tls-cert", str(own / "tls.crt"), "--tls-key", str(own / "tls.key"), "--ca", str(own / "ca.crt")]
        made.roles[name] = Role(name, port, command, inherited | given, folder / f"{name}.log", made.ca)
    try:
        yield made
    finally:
        stop_all(made.roles.values())


@contextmanager
def resource_servers(made: Cluster) -> Iterator[Stage]:
    """The demo's two APIs beside a cluster that is ready, and where the story can play."""
    ports = dict(zip(("orders", "photos"), free_ports(2), strict=True))
    stage = made.stage({name: f"http://127.0.0.1:{port}" for name, port in ports.items()})
    with ExitStack() as stack:
        for name, port in ports.items():
            credential = made.folder / f"{name}.credential"
            credential.write_text(add_verifier(stage, name))
            given = ["--port", str(port), "--rescind", made.iss, "--feed", stage.revocation, "--credential-file", str(credential)]
            command = [sys.executable, "-m", f"demo.{name}", *given]
            role = Role(name, port, command, os.environ, made.folder / f"{name}.log")
            role.start()
            stack.callback(role.stop)
            role.await_ready()
        yield stage


def trusting(ca: Path | None, *, named: bool = True) -> ssl.SSLContext | bool:
    """For httpx. `named`: whether the certificate must be for the address that is asked."""
    if ca is None:
        return True
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = named
    return context


def free_ports(count: int) -> Sequence[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]

"""The cluster's services as processes of their own, each to be started, killed and started again, in any order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from kit.server_process import run
from kit.waiting import until

from demo.joining import add_verifier
from demo.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("issuer", "relay", "revocation", "anomaly")
_START_S = 150.0


@dataclass(slots=True)
class Role:
    """One process of a service. Its port stays when it starts again."""

    name: str
    port: int
    command: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, env=self.environ, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        assert self.process
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def missing(self) -> Mapping[str, str] | None:
        """What /readyz misses; None while nobody answers."""
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=2)
        except httpx.TransportError:
            return None
        found: Mapping[str, str] = (
            {} if answer.is_success else answer.json()["missing"] if answer.content else {"start": "no answer"}
        )
        return found

    def await_ready(self) -> None:
        try:
            until(lambda: self.missing() == {}, timeout=_START_S)
        except AssertionError:
            message = f"{self.name} is not ready: {self.missing()}\n{self.log.read_text('utf-8')[-3000:]}"
            raise AssertionError(message) from None


@dataclass(slots=True)
class Cluster:
    """`roles` by name: `issuer-1`, `issuer-2`, …"""

    folder: Path
    environ: Mapping[str, str]
    roles: dict[str, Role] = field(default_factory=dict)

    @property
    def credentials(self) -> Path:
        return self.folder / "credentials"

    @property
    def iss(self) -> str:
        return self.of("issuer")[0].url

    def of(self, service: str) -> Sequence[Role]:
        return [role for name, role in self.roles.items() if name.startswith(f"{service}-")]

    def bootstrap(self) -> None:
        asked = ("--credentials", str(self.credentials), "--issuer", self.iss)
        done = run("bootstrap", *asked, environ=self.environ)
        assert done.returncode == 0, done.stderr

    def topics(self) -> None:
        done = run("topics", environ=self.environ)
        assert done.returncode == 0, done.stderr

    def start(self, *names: str) -> None:
        for name in names or self.roles:
            self.roles[name].start()

    def await_ready(self) -> None:
        for role in self.roles.values():
            role.await_ready()

    def stage(self, apis: Mapping[str, str] | None = None) -> Stage:
        admin = json.loads((self.credentials / "admin-client.json").read_text("utf-8"))
        return Stage(
            rescind=self.iss,
            revocation=self.of("revocation")[0].url,
            anomaly=self.of("anomaly")[0].url,
            apis=apis or {},
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
) -> Iterator[Cluster]:
    """Nothing runs yet; what was started is stopped at the end. `each`: processes of each service. `options`: for all of them."""
    environ = {
        "RESCIND_DATABASE": database,
        "RESCIND_KAFKA": kafka,
        "RESCIND_KAFKA_PARTITIONS": str(partitions),
        "RESCIND_KAFKA_REPLICATION": str(replication),
    }
    made = Cluster(folder, environ)
    ports = dict(zip([f"{role}-{n}" for role in ROLES for n in range(1, each + 1)], free_ports(len(ROLES) * each), strict=True))
    urls = [f"--issuer-url=http://127.0.0.1:{port}" for name, port in ports.items() if name.startswith("issuer")]
    urls += [f"--revocation-url=http://127.0.0.1:{port}" for name, port in ports.items() if name.startswith("revocation")]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RESCIND_")}
    for name, port in ports.items():
        service = name.partition("-")[0]
        given = ["--port", str(port), "--credential", str(made.credentials / service / "credential.json"), *urls, *options]
        given += ["--checkpoints", str(folder / "checkpoints"), "--trusted-proxy", "127.0.0.1"]
        command = [sys.executable, "-m", "services", service, *given]
        made.roles[name] = Role(name, port, command, inherited | environ, folder / f"{name}.log")
    try:
        yield made
    finally:
        for role in made.roles.values():
            role.stop()


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


def free_ports(count: int) -> Sequence[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]

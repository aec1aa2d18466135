"""A real Apache Kafka (KRaft) on loopback, from jars: one node or three, each to be paused, killed and started again."""

from __future__ import annotations

import base64
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from kit.kafka_certificates import make_certificates
from kit.kafka_jars import jars, missing

USER, PASSWORD = "rescind", "scram-password"
_JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
QUICK = {"broker.heartbeat.interval.ms": "300", "broker.session.timeout.ms": "1500"}
"""A killed node is forgotten after 1.5 s, not 9 s, so that it may come back."""

_STARTED = b"Kafka Server started"
_LOGGING = """rootLogger.level=warn
rootLogger.appenderRef.c.ref=C
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
appender.c.type=Console
appender.c.name=C
"""


@dataclass(slots=True)
class Node:
    """One broker and controller. Its ports stay when it starts again."""

    number: int
    folder: Path
    plain: int
    secure: int
    controller: int
    process: subprocess.Popen[bytes] | None = None
    drain: threading.Thread | None = None

    def begin(self) -> None:
        """Start the process; `await_answer` waits until it serves."""
        self.process = subprocess.Popen(
            _java(self.folder.parent, "kafka.Kafka", str(self.folder / "server.properties")),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def await_answer(self) -> None:
        assert self.process
        assert self.process.stdout
        printed = b""
        for line in self.process.stdout:
            printed += line
            if _STARTED in line:
                self.drain = threading.Thread(target=_drain, args=(self.process.stdout,), daemon=True)
                self.drain.start()
                return
        raise AssertionError(printed.decode()[-3000:])

    def start(self) -> None:
        self.begin()
        self.await_answer()

    def kill(self) -> None:
        """SIGKILL: no goodbye. Also of one that does not run."""
        if self.process:
            self.process.kill()
            self.process.wait(20)
        if self.drain:
            self.drain.join(20)

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, sent: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(sent)


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """`bootstrap` is open to everybody; `secure` is SASL_SSL: SCRAM-SHA-512 as USER, a certificate by `ca_file`."""

    nodes: Sequence[Node]
    ca_file: Path

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{node.plain}" for node in self.nodes)

    @property
    def secure(self) -> str:
        return ",".join(f"127.0.0.1:{node.secure}" for node in self.nodes)


@contextmanager
def kafka_cluster(folder: Path, nodes: int = 1, settings: Mapping[str, str] | None = None) -> Iterator[KafkaCluster]:
    """A cluster that lives in `folder`; `settings` are added to every node's. Skips the test where no broker can run."""
    if missing():
        pytest.skip(f"NO KAFKA: this needs {missing()}")
    (folder / "log4j2.properties").write_text(_LOGGING, "utf-8")
    ca_file = make_certificates(folder)
    ports = iter(_free_ports(3 * nodes))
    made = [Node(n, folder / f"node{n}", next(ports), next(ports), next(ports)) for n in range(1, nodes + 1)]
    identity = "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
    for node in made:
        _prepare(node, made, identity, settings or {})
    with ExitStack() as stack:
        for node in made:
            stack.callback(node.kill)
            node.begin()
        for node in made:
            node.await_answer()
        yield KafkaCluster(made, ca_file)


def _prepare(node: Node, nodes: Sequence[Node], identity: str, settings: Mapping[str, str]) -> None:
    node.folder.mkdir()
    properties = node.folder / "server.properties"
    properties.write_text("\n".join(f"{name}={value}" for name, value in {**_settings(node, nodes), **settings}.items()), "utf-8")
    scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
    command = _java(node.folder.parent, "kafka.tools.StorageTool", "format", "-t", identity, "-c", str(properties), "-S", scram)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _settings(node: Node, nodes: Sequence[Node]) -> Mapping[str, str]:
    copies, enough = str(len(nodes)), str((len(nodes) + 1) // 2)
    outside = f"PLAINTEXT://127.0.0.1:{node.plain},SASL_SSL://127.0.0.1:{node.secure}"
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.number),
        "controller.quorum.voters": ",".join(f"{each.number}@127.0.0.1:{each.controller}" for each in nodes),
        "listeners": f"{outside},CONTROLLER://127.0.0.1:{node.controller}",
        "advertised.listeners": outside,
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "log.dirs": str(node.folder / "data"),
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": enough,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": enough,
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(node.folder.parent / "broker.pem"),
    }


def _drain(printed: IO[bytes]) -> None:
    """Read to the end, so that the process never waits for a reader."""
    with printed:
        while printed.read(65536):
            pass


def _java(folder: Path, main: str, *arguments: str) -> list[str]:
    logging = f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
    return ["java", *_JVM, logging, "-cp", f"{jars()}/*", main, *arguments]


def _free_ports(count: int) -> Sequence[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]

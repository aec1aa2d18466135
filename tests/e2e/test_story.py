"""The demo's story, played over real HTTP: against processes that are started here, or against a stage that runs already.

RESCIND_TEST_STAGE names a JSON file with the fields of `demo.stage.Stage`; without it SQLite (where an anomaly ends a
session) and PostgreSQL (where it holds one) are each played.
"""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from demo.processes import staged
from demo.screen import Screen
from demo.stage import Stage
from demo.story import CHAPTERS, heading, play

RUNNING = os.environ.get("RESCIND_TEST_STAGE")
STAGES = ["running"] if RUNNING else ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="module", params=STAGES)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Heading of each chapter that was reached -> what did not hold, or ""."""
    if RUNNING:
        return perform(Stage.read(Path(RUNNING)))
    folder = tmp_path_factory.mktemp("stage")
    if request.param == "sqlite":
        with staged(folder) as stage:
            return perform(stage)
    url: str = request.getfixturevalue("postgres_url")
    with fresh_database(url) as database, staged(folder, database=database, options=["--anomaly-action", "hold"]) as stage:
        return perform(stage)


def perform(stage: Stage) -> Mapping[str, str]:
    heard: dict[str, str] = {}
    play(stage, Screen(io.StringIO()), on_chapter=heard.__setitem__)
    return heard


@contextmanager
def fresh_database(postgres_url: str) -> Iterator[str]:
    name = f"story{uuid.uuid4().hex}"
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


@pytest.mark.parametrize("chapter", [heading(chapter) for chapter in CHAPTERS])
def test_every_step_of_the_chapter_holds(played: Mapping[str, str], chapter: str) -> None:
    assert played.get(chapter, "this chapter was not reached") == ""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, MetaData

from eventlog.sql.log import SqlLog
from eventlog.sql.tables import log_tables


def make_log(engine: Engine) -> SqlLog:
    made = SqlLog(engine, log_tables(MetaData()), name="test")
    made.create()
    return made


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    """A fresh log, once of each kind of database; nothing numbers it by itself."""
    return make_log(engine)


@pytest.fixture
def sqlite_log(sqlite_engine: Engine) -> SqlLog:
    return make_log(sqlite_engine)


@pytest.fixture
def postgres_log(postgres_engine: Engine) -> SqlLog:
    return make_log(postgres_engine)

from __future__ import annotations

import pytest
from sqlalchemy import Engine, MetaData

from eventlog.sql.log import SqlLog
from eventlog.sql.tables import log_tables


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    """A fresh log, once of each kind of database; nothing numbers it by itself."""
    made = SqlLog(engine, log_tables(MetaData()), name="test")
    made.create()
    return made


@pytest.fixture
def postgres_log(postgres_engine: Engine) -> SqlLog:
    made = SqlLog(postgres_engine, log_tables(MetaData()), name="test")
    made.create()
    return made

from __future__ import annotations

import pytest
from sqlalchemy import Engine, MetaData

from eventlog.port import START, Event
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from eventlog.sql.tables import log_tables


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    made = SqlLog(engine, log_tables(MetaData()), name="test")
    made.create()
    made.create()
    return made


def test_appended_events_are_read_once_they_are_numbered(log: SqlLog) -> None:
    log.append("a", [Event(id="1", type="x", time=1), Event(id="2", type="x", time=2)], expected_version=0)

    assert not log.read(START).records
    mark = Sequencer(log).number()
    assert [each.event.id for each in log.read(START).records] == ["1", "2"]
    assert str(mark.position) == "1.2"

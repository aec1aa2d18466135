from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from kit.kafka_broker import KafkaCluster
from kit.kafka_log import KafkaLog, new_topic
from sqlalchemy import Engine, MetaData

from eventlog.kafka.settings import KafkaSettings
from eventlog.sql.log import SqlLog
from eventlog.sql.tables import log_tables

MakeLog = Callable[[int], KafkaLog]


@pytest.fixture
def settings(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings(kafka_bootstrap)


@pytest.fixture
def impatient(kafka_broker: KafkaCluster) -> KafkaSettings:
    """For the broker that gets paused and killed."""
    return KafkaSettings(kafka_broker.bootstrap, timeout=1.0)


@pytest.fixture
def sql_log(sqlite_engine: Engine) -> SqlLog:
    made = SqlLog(sqlite_engine, log_tables(MetaData()), name="test")
    made.create()
    return made


@pytest.fixture
def log(sql_log: SqlLog, settings: KafkaSettings) -> Iterator[KafkaLog]:
    """A log that is relayed to a topic of three partitions."""
    made = KafkaLog(sql_log, settings, new_topic(settings, 3))
    yield made
    made.close()

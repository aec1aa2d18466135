"""The event log as a reader of Kafka sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from contract.event_log_contract import EventLogContract, Log, event, everything, follow
from kit.kafka_log import KafkaLog, new_topic
from sqlalchemy import Engine, MetaData

from eventlog.chain import GENESIS, link
from eventlog.kafka.settings import KafkaSettings
from eventlog.sql.log import SqlLog
from eventlog.sql.tables import log_tables
from rescind.position import BEGINNING

pytestmark = pytest.mark.kafka


def make_log(engine: Engine, bootstrap: str, partitions: int) -> KafkaLog:
    log = SqlLog(engine, log_tables(MetaData()), name="test")
    log.create()
    settings = KafkaSettings(bootstrap)
    return KafkaLog(log, settings, new_topic(settings, partitions))


class TestKafka(EventLogContract):
    """One partition: total order."""

    @pytest.fixture
    def log(self, sqlite_engine: Engine, kafka_bootstrap: str) -> Iterator[Log]:
        log = make_log(sqlite_engine, kafka_bootstrap, 1)
        yield log
        log.close()
        assert not log.refill.asked


class TestManyPartitions(EventLogContract):
    """Order within a stream; between streams it is Kafka's."""

    @pytest.fixture
    def log(self, sqlite_engine: Engine, kafka_bootstrap: str) -> Iterator[Log]:
        log = make_log(sqlite_engine, kafka_bootstrap, 3)
        yield log
        log.close()
        assert not log.refill.asked

    def test_a_reader_sees_all_in_gapless_order_and_goes_on_where_it_stopped(self, log: Log) -> None:
        for nth in range(21):
            log.append(f"stream-{nth % 7}", [event(str(nth))], expected_version=nth // 7)

        found = everything(log, limit=4)

        assert {each.event.id for each in found} == {str(nth) for nth in range(21)}
        assert len(found) == 21
        for nth in range(7):
            assert [each.version for each in found if each.stream == f"stream-{nth}"] == [1, 2, 3]

    def test_each_hash_covers_the_record_and_the_one_before(self, log: Log) -> None:
        for stream in "abcdef":
            log.append(stream, [event(f"{stream}1"), event(f"{stream}2", personal=b"sealed")], expected_version=0)

        previous = GENESIS
        for each in sorted(everything(log), key=lambda each: each.position or BEGINNING):
            assert each.hash == link(previous, each)
            previous = each.hash

    def test_a_live_reader_misses_nothing_of_eight_writers(self, log: Log) -> None:
        writing = threading.Event()

        def write(nth: int) -> None:
            for version in range(5):
                log.append(f"stream-{nth}", [event(f"{nth}.{version}")], expected_version=version)

        with ThreadPoolExecutor(9) as pool:
            reading = pool.submit(follow, log, writing.is_set)
            list(pool.map(write, range(8)))
            writing.set()
            found = reading.result()

        assert len(found) == 40
        for nth in range(8):
            assert [each.event.id for each in found if each.stream == f"stream-{nth}"] == [f"{nth}.{v}" for v in range(5)]

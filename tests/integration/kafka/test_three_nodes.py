"""A cluster of three nodes that loses one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kit.kafka_broker import QUICK, KafkaCluster, kafka_cluster
from kit.kafka_log import KafkaLog, leader, new_topic, tell_until_done

from eventlog.errors import StoreUnavailable
from eventlog.kafka.errors import KafkaUnavailable
from eventlog.kafka.settings import KafkaSettings
from eventlog.port import START
from eventlog.sql.log import SqlLog

pytestmark = pytest.mark.kafka

EVENTS = [str(nth) for nth in range(1, 25)]


@pytest.fixture(scope="module")
def three_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    with kafka_cluster(tmp_path_factory.mktemp("kafka"), 3, QUICK) as cluster:
        yield cluster


def make_log(cluster: KafkaCluster, sql_log: SqlLog, *, replication: int) -> KafkaLog:
    settings = KafkaSettings(cluster.bootstrap, timeout=2.0)
    return KafkaLog(sql_log, settings, new_topic(settings, 3, replication=replication))


def test_a_leader_that_dies_is_replaced_and_nothing_is_lost(three_nodes: KafkaCluster, sql_log: SqlLog) -> None:
    log = make_log(three_nodes, sql_log, replication=3)
    log.write(*EVENTS[:12])
    log.tell()
    node = leader(three_nodes, log.settings, log.topic, 0)
    node.kill()
    log.write(*EVENTS[12:])

    tell_until_done(log)
    found, _ = log.everything()
    node.start()
    log.close()

    assert sorted((each.event.id for each in found), key=int) == EVENTS
    assert log.refill.asked == 0


def test_a_partition_without_a_leader_stops_the_watermark_and_no_other_partition(
    three_nodes: KafkaCluster, sql_log: SqlLog
) -> None:
    log = make_log(three_nodes, sql_log, replication=1)
    log.write(*EVENTS[:12])
    log.tell()
    _, checkpoint = log.everything()
    log.write(*EVENTS[12:])
    node = leader(three_nodes, log.settings, log.topic, 0)
    node.pause()
    try:
        with pytest.raises(KafkaUnavailable):
            log.relay.step()
        there = [each for each in EVENTS[12:] if log.partition(each) != 0]
        read: list[str] = []
        marks = []
        while len(read) < len(there):
            try:
                batch = log.feed.read_marked(checkpoint, wait=1)
            except StoreUnavailable:
                continue
            checkpoint = batch.checkpoint
            read += [each.event.id for each in batch.records]
            marks.append(batch.mark)
    finally:
        node.resume()

    assert sorted(read, key=int) == there
    assert [mark for mark in marks if mark is not None and mark.position.seq > 12] == []
    tell_until_done(log)
    found, _ = log.everything(START)
    assert sorted((each.event.id for each in found), key=int) == EVENTS
    log.close()

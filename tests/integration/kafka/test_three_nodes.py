"""A cluster of three nodes that loses one."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient
from kit.kafka_broker import QUICK, KafkaCluster, Node, kafka_cluster
from kit.kafka_jars import missing
from kit.kafka_log import KafkaLog, new_topic, tell_until_done

from eventlog.errors import StoreUnavailable
from eventlog.kafka.client import options
from eventlog.kafka.errors import KafkaUnavailable
from eventlog.kafka.settings import KafkaSettings
from eventlog.port import START
from eventlog.sql.log import SqlLog

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # kafka-python drops sockets whose connection failed
]

EVENTS = [str(nth) for nth in range(1, 25)]


@pytest.fixture(scope="module")
def three_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    if missing():
        pytest.skip(f"NO KAFKA: this needs {missing()}")
    with kafka_cluster(tmp_path_factory.mktemp("kafka"), 3, QUICK) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def no_sockets_left() -> Iterator[None]:
    yield
    gc.collect()


def leader(cluster: KafkaCluster, log: KafkaLog, partition: int) -> Node:
    admin = KafkaAdminClient(**options(log.settings))
    (topic,) = admin.describe_topics([log.topic.name])
    admin.close()
    number: int = next(each["leader_id"] for each in topic["partitions"] if each["partition_index"] == partition)
    return cluster.nodes[number - 1]


def make_log(cluster: KafkaCluster, sql_log: SqlLog, *, replication: int) -> KafkaLog:
    settings = KafkaSettings(cluster.bootstrap, timeout=2.0)
    return KafkaLog(sql_log, settings, new_topic(settings, 3, replication=replication))


def test_a_leader_that_dies_is_replaced_and_nothing_is_lost(three_nodes: KafkaCluster, sql_log: SqlLog) -> None:
    log = make_log(three_nodes, sql_log, replication=3)
    log.write(*EVENTS[:12])
    log.tell()
    node = leader(three_nodes, log, 0)
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
    node = leader(three_nodes, log, 0)
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

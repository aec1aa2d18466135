"""A log in SQL, its relay and a feed, with a topic of their own between them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from threading import Lock

from contract.event_log_contract import event
from kafka import KafkaAdminClient, TopicPartition
from kit.kafka_broker import KafkaCluster, Node

from eventlog.kafka.client import options
from eventlog.kafka.cloudevents import Marked, Message, Sent, decode
from eventlog.kafka.connecting import Connecting
from eventlog.kafka.consumer import OLDEST, Consumer
from eventlog.kafka.errors import KafkaUnavailable
from eventlog.kafka.feed import KafkaFeed
from eventlog.kafka.partitioning import partition_of
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.sink import KafkaSink
from eventlog.kafka.topics import Topic, ensure_topics
from eventlog.port import START, Batch, Checkpoint, Event, Recorded
from eventlog.relay import Relay
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from rescind.position import Position

ISS = "https://issuer.example"
TYPES = frozenset({"something.happened.v1", "t"})


def new_topic(settings: KafkaSettings, partitions: int, *, replication: int = 1) -> Topic:
    """A topic that nobody else uses."""
    topic = Topic(f"test-{uuid.uuid4().hex}", partitions)
    ensure_topics(settings, [topic], replication=replication)
    return topic


class SqlRefill:
    """The log itself; counts how often it was asked."""

    def __init__(self, log: SqlLog) -> None:
        self._log = log
        self.asked = 0

    def records(self, after: Position, *, limit: int) -> Sequence[Recorded]:
        self.asked += 1
        return self._log.read(Checkpoint(str(after)), limit=limit).records


class KafkaLog:
    """EventStore and EventFeed: what is appended is numbered and relayed at once, and read from Kafka."""

    def __init__(self, log: SqlLog, settings: KafkaSettings, topic: Topic, *, limit: int = 500) -> None:
        self.log = log
        self.settings = settings
        self.topic = topic
        self.limit = limit
        self.refill = SqlRefill(log)
        self.restored: list[Position] = []
        self._lock = Lock()
        self.start_again()

    def start_again(self) -> None:
        """A new relay and a new feed, as new processes would have."""
        self.close()
        self.sink = KafkaSink(self.settings, self.topic, iss=ISS, hash_at=self.log.hash_at)
        self.relay = make_relay(self.log, self.sink, self.restored, limit=self.limit)
        self.feed = KafkaFeed(self.settings, self.topic, iss=ISS, refill=self.refill)

    def append(self, stream: str, events: Sequence[Event], *, expected_version: int) -> Sequence[Recorded]:
        written = self.log.append(stream, events, expected_version=expected_version)
        with self._lock:
            Sequencer(self.log).number()
            self.tell()
        return written

    def read_stream(self, stream: str, *, after_version: int = 0) -> Sequence[Recorded]:
        return self.log.read_stream(stream, after_version=after_version)

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        return self.feed.read(after, limit=limit, wait=wait)

    def write(self, *ids: str, stream: str = "") -> None:
        """Append and number events, each to a stream of its own unless one is given; the relay is not asked."""
        for each in ids:
            self.log.append(stream or f"stream-{each}", [event(each)], expected_version=self._version(stream))
        Sequencer(self.log).number()

    def tell(self) -> None:
        """Relay everything."""
        while self.relay.step():
            pass

    def everything(self, checkpoint: Checkpoint = START, *, limit: int = 500) -> tuple[list[Recorded], Checkpoint]:
        """Read the feed to its end."""
        found: list[Recorded] = []
        while (batch := self.feed.read(checkpoint, limit=limit)).records:
            found += batch.records
            checkpoint = batch.checkpoint
        return found, checkpoint

    def in_topic(self) -> list[tuple[int, Sent | Marked]]:
        """All messages of the topic with their partition: what a reader without rules would take."""
        return [(partition, decode(message)) for partition, message in messages(self.settings, self.topic)]

    def records_in_topic(self) -> list[str]:
        return [read.recorded.event.id for _, read in self.in_topic() if isinstance(read, Sent)]

    def partition(self, id_: str) -> int:
        """Where an event that `write` made in a stream of its own goes."""
        return partition_of(Recorded(f"stream-{id_}", 1, event(id_)), self.topic.partitions)

    def close(self) -> None:
        if hasattr(self, "sink"):
            self.sink.close()
            self.feed.close()

    def _version(self, stream: str) -> int:
        return len(self.log.read_stream(stream)) if stream else 0


def make_relay(log: SqlLog, sink: KafkaSink, restored: list[Position], *, limit: int = 500) -> Relay:
    def raise_epoch(position: Position) -> None:
        restored.append(position)
        log.raise_epoch(above=position.epoch)

    return Relay(
        log,
        sink,
        iss=ISS,
        cursor_name="kafka",
        carries=TYPES.__contains__,
        applied=lambda: Position(1, 7),
        live_sessions=lambda: 3,
        on_restored=raise_epoch,
        limit=limit,
    )


def tell_until_done(log: KafkaLog) -> int:
    """Step as the relay's loop does, an error being no end; how many there were."""
    failures = 0
    while True:
        try:
            log.tell()
        except KafkaUnavailable:
            failures += 1
        else:
            return failures


def messages(settings: KafkaSettings, topic: Topic) -> list[tuple[int, Message]]:
    """Everything that a topic has at this moment, also while more is written."""
    partitions = range(topic.partitions)
    found = []
    with closing(Consumer(settings, topic)) as consumer:
        consumer.assign(dict.fromkeys(partitions, OLDEST))
        missing = {partition: end for partition, (begin, end) in consumer.bounds(partitions).items() if begin < end}
        while missing:
            for each in consumer.poll(0.1):
                if each.partition in missing:
                    found.append((each.partition, each.message))
                    if each.offset + 1 >= missing[each.partition]:
                        del missing[each.partition]
    return found


@contextmanager
def administering(settings: KafkaSettings) -> Iterator[KafkaAdminClient]:
    """Somebody else's client; it leaves nothing open either, whatever becomes of it."""
    with closing(Connecting()) as connecting:
        yield KafkaAdminClient(**options(settings), kafka_client=connecting.client)


def leader(cluster: KafkaCluster, settings: KafkaSettings, topic: Topic, partition: int) -> Node:
    """The broker that a partition is written to, as one that runs says."""
    running = [f"127.0.0.1:{node.plain}" for node in cluster.nodes if node.process and node.process.poll() is None]
    with administering(replace(settings, bootstrap=",".join(running))) as admin:
        (described,) = admin.describe_topics([topic.name])
    number: int = next(each["leader_id"] for each in described["partitions"] if each["partition_index"] == partition)
    return cluster.nodes[number - 1]


def forget(settings: KafkaSettings, topic: Topic, before: dict[int, int]) -> None:
    """Let retention take what is before these offsets of partitions."""
    with administering(settings) as admin:
        admin.delete_records({TopicPartition(topic.name, partition): offset for partition, offset in before.items()})


def make_again(settings: KafkaSettings, topic: Topic) -> None:
    """Delete a topic and make it again, empty."""
    with administering(settings) as admin:
        admin.delete_topics([topic.name])
        while topic.name in admin.list_topics():
            pass
    ensure_topics(settings, [topic])

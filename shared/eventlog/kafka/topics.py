"""The topics: what they are called, how many partitions each has, and making them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol, TypedDict

from kafka import KafkaAdminClient
from kafka.errors import InvalidReplicationFactorError, TopicAlreadyExistsError

from eventlog.kafka.client import options
from eventlog.kafka.connecting import Connecting
from eventlog.kafka.errors import KafkaRefuses, TopicMismatch
from eventlog.kafka.settings import KafkaSettings

RETENTION_MS = 7 * 24 * 3600 * 1000
"""How long a topic keeps messages: the log is the record, and who was away for longer refills from it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """The number of partitions decides which records stay in order; it is fixed when the topic is made."""

    name: str
    partitions: int

    @property
    def mismatch(self) -> str:
        """What to say when the topic has another number of them."""
        return (
            f"topic {self.name} must have {self.partitions} partitions. Their number cannot change in place: an account's events "
            "would lie in two of them, out of order. Configure the number it has, or make a topic of another name"
        )


SESSIONS = Topic("rescind.sessions.v1", 12)
REVOCATIONS = Topic("rescind.revocations.v1", 1)  # total order
ANOMALIES = Topic("rescind.anomalies.v1", 12)
AUDIT = Topic("rescind.audit.v1", 1)
TOPICS = (SESSIONS, REVOCATIONS, ANOMALIES, AUDIT)


class _Described(TypedDict):
    name: str
    partitions: list[object]


class _Admin(Protocol):
    def list_topics(self) -> list[str]: ...

    def describe_topics(self, topics: list[str]) -> list[_Described]: ...

    def create_topics(self, new_topics: dict[str, dict[str, object]], *, wait_for_metadata: bool) -> object: ...


def ensure_topics(
    settings: KafkaSettings, topics: Sequence[Topic] = TOPICS, *, replication: int = 1, retention_ms: int = RETENTION_MS
) -> Sequence[str]:
    """Make the topics that are missing, and return their names.

    TopicMismatch, before anything is made, when one that is there has another number of partitions; KafkaUnavailable,
    KafkaRefuses where the account may not, or too few brokers run for the replication.
    Any number of processes may do this at once.
    """
    connecting = Connecting()
    patience = int(settings.timeout * 1000)
    with connecting.translated(), closing(connecting):
        admin: _Admin = KafkaAdminClient(**options(settings), bootstrap_timeout_ms=patience, kafka_client=connecting.client)
        there = set(admin.list_topics())
        _check(admin, [topic for topic in topics if topic.name in there])
        missing = [topic for topic in topics if topic.name not in there]
        made = [topic for topic in missing if _make(admin, topic, replication, retention_ms)]
        _check(admin, topics)
    return [topic.name for topic in made]


def _check(admin: _Admin, topics: Sequence[Topic]) -> None:
    found = {each["name"]: len(each["partitions"]) for each in admin.describe_topics([topic.name for topic in topics])}
    for topic in topics:
        if found.get(topic.name) != topic.partitions:
            raise TopicMismatch(topic.mismatch)


def _make(admin: _Admin, topic: Topic, replication: int, retention_ms: int) -> bool:
    configs = {
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",  # a source's clock is judged by the broker's
        "min.insync.replicas": str(min(2, replication)),
        "retention.ms": str(retention_ms),
    }
    wanted: dict[str, object] = {"num_partitions": topic.partitions, "replication_factor": replication, "configs": configs}
    try:
        admin.create_topics({topic.name: wanted}, wait_for_metadata=True)
    except TopicAlreadyExistsError:  # somebody was faster
        return False
    except InvalidReplicationFactorError:
        msg = f"Kafka has fewer than {replication} brokers that run, so that it cannot keep so many copies"
        raise KafkaRefuses(msg) from None
    return True

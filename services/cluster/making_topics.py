"""`topics`: makes the topics that are missing. A partition count never changes in place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from eventlog.kafka import topics
from eventlog.kafka.errors import KafkaRefuses, KafkaUnavailable, TopicMismatch
from services.cluster.settings import ClusterSettings
from services.cluster.wiring import kafka, sessions_topic
from services.runtime import CannotStart

_PATIENCE_S = 30.0
_PAUSE_S = 1.0


def make_topics(settings: ClusterSettings) -> Sequence[str]:
    """The names of those that were made. Waits for Kafka, half a minute at most; CannotStart."""
    anomalies = replace(topics.ANOMALIES, partitions=settings.kafka_partitions)
    wanted = (sessions_topic(settings), topics.REVOCATIONS, anomalies, topics.AUDIT)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return topics.ensure_topics(kafka(settings), wanted, replication=settings.kafka_replication)
        except TopicMismatch as mismatch:
            msg = f"The {mismatch}."
            raise CannotStart(msg) from None
        except KafkaRefuses as refusal:
            msg = f"{refusal}. Check --kafka, --kafka-ca, the account and what it may do."
            raise CannotStart(msg) from refusal
        except KafkaUnavailable as error:
            if time.monotonic() > deadline:
                msg = f"{error}. Check --kafka and that its brokers run."
                raise CannotStart(msg) from error
            time.sleep(_PAUSE_S)

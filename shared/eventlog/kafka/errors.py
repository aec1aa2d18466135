"""What can go wrong between the log and Kafka."""

from __future__ import annotations

from eventlog.errors import EventLogError, StoreUnavailable


class KafkaUnavailable(StoreUnavailable):
    """Kafka does not answer, or not in time: what was being sent may or may not be in the topic. Try again later."""


class KafkaRefuses(KafkaUnavailable):
    """Kafka answers, and will not do it: nothing changes by itself. Somebody has to look."""


class RefillUnavailable(StoreUnavailable):
    """Records are missing from a partition, and the source's log does not give them yet. Try again later."""


class UnreadableMessage(EventLogError):
    """A message that cannot be understood: nothing after it is read until somebody has looked."""


class TopicMismatch(EventLogError):
    """A topic is not made as it must be."""

"""The relay's Kafka road: every event of a log, and its watermark to every partition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from eventlog.kafka.cloudevents import Message, encode_mark, encode_record
from eventlog.kafka.consumer import Consumer
from eventlog.kafka.partitioning import partition_of
from eventlog.kafka.producer import Producer
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.tail import Tail, read_tails
from eventlog.kafka.topics import Topic
from eventlog.port import Recorded
from eventlog.relay import OtherHistory, Post
from rescind.position import BEGINNING, Position


class KafkaSink:
    """`eventlog.relay.Sink`; it belongs to the relay's thread. `hash_at` gives the log's chain hash at a position, or None.

    `target`: what a record is about, as the key in a topic of one partition; "" where the usual key says enough.
    A watermark is sent when all before it is acknowledged: one in the topic proves that everything up to it is there too.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topic: Topic,
        *,
        iss: str,
        hash_at: Callable[[Position], bytes | None],
        target: Callable[[Recorded], str] = lambda _: "",
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._iss = iss
        self._hash_at = hash_at
        self._target = target
        self._producer = Producer(settings, topic)
        self._other: Position | None = None  # the topic's end, where it belongs to another history
        self._replaces: Position | None = None

    def position(self) -> Position | None:
        """Up to where every partition has everything; None where one has no watermark, so that the relay's cursor decides.

        A message beyond our log's end is answered with its position: the log was put back. Where it has grown since, the next
        `send` says so. KafkaUnavailable.
        """
        consumer = Consumer(self._settings, self._topic)
        try:
            tails = read_tails(consumer, self._topic.partitions, self._iss, wait=self._settings.timeout).values()
        finally:
            consumer.close()
        marked = [tail.marked for tail in tails if tail.marked is not None]
        end = max([*marked, *(_numbered(each) for tail in tails for each in tail.records)], default=None)
        if end is not None and self._hash_at(end) is None:
            return end
        since = max(marked, default=BEGINNING).epoch  # an earlier epoch was put right before this one's first watermark
        self._other = end if any(self._differs(tail, since) for tail in tails) else None
        return min(marked) if len(marked) == self._topic.partitions else None

    def send(self, post: Post) -> Position:
        """Write the records, wait until they are there, then the watermark. See Sink; KafkaUnavailable, TopicMismatch."""
        if post.replaces is not None:
            self._other, self._replaces = None, post.replaces
        if self._other is not None:
            raise OtherHistory(self._other)
        sent: dict[int, Position] = defaultdict(lambda: post.prev)
        self._producer.deliver(self._records(post, sent))
        marks = [(each, encode_mark(post.iss, post.mark, sent[each])) for each in range(self._topic.partitions)]
        self._producer.deliver(marks)
        return post.mark.position

    def close(self) -> None:
        """End the connection."""
        self._producer.close()

    def _records(self, post: Post, sent: dict[int, Position]) -> Sequence[tuple[int, Message]]:
        messages = []
        for each in post.records:
            partition, position = partition_of(each, self._topic.partitions), _numbered(each)
            replaces = self._replaces if self._replaces is not None and position <= self._replaces else None
            message = encode_record(post.iss, each, sent[partition], target=self._target(each), replaces=replaces)
            messages.append((partition, message))
            sent[partition] = position
        return messages

    def _differs(self, tail: Tail, since: int) -> bool:
        """Whether a record of this epoch is another one in our log; where one is the same, all before it are."""
        for record in sorted(tail.records, key=_numbered, reverse=True):
            ours = self._hash_at(_numbered(record))
            if _numbered(record).epoch >= since and ours is not None:
                return ours != record.hash
        return False


def _numbered(recorded: Recorded) -> Position:
    if recorded.position is None:
        raise ValueError("only numbered records travel")
    return recorded.position

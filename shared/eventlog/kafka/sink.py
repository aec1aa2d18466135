"""The relay's Kafka road: every event of a log, and its watermark to every partition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from eventlog.kafka.cloudevents import Message, encode_mark, encode_record
from eventlog.kafka.consumer import Consumer
from eventlog.kafka.errors import AnotherHistory
from eventlog.kafka.partitioning import partition_of
from eventlog.kafka.producer import Producer
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.tail import Tail, read_tail
from eventlog.kafka.topics import Topic
from eventlog.port import Recorded
from eventlog.relay import Post
from rescind.position import Position


class KafkaSink:
    """`eventlog.relay.Sink`; it belongs to the relay's thread. `hash_at` gives the log's chain hash at a position, or None.

    A watermark is sent when all before it is acknowledged: one in the topic proves that everything up to it is there too.
    """

    def __init__(self, settings: KafkaSettings, topic: Topic, *, iss: str, hash_at: Callable[[Position], bytes | None]) -> None:
        self._settings = settings
        self._topic = topic
        self._iss = iss
        self._hash_at = hash_at
        self._producer = Producer(settings, topic)

    def position(self) -> Position | None:
        """Up to where every partition has everything; None where one has no watermark, so that our own cursor decides.

        A record beyond our log's end is answered with its position: the log was put back. AnotherHistory where it has
        grown since; KafkaUnavailable.
        """
        consumer = Consumer(self._settings, self._topic)
        try:
            tails = read_tail(consumer, self._topic.partitions, self._iss, wait=self._settings.timeout)
        finally:
            consumer.close()
        marked = [tail.marked for tail in tails if tail.marked is not None]
        beyond = self._beyond(tails, max(marked, default=None))
        if beyond is not None:
            return beyond
        return min(marked) if len(marked) == len(tails) else None

    def send(self, post: Post) -> Position:
        """Write the records, wait until they are there, then the watermark. KafkaUnavailable, TopicMismatch; see Sink."""
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
            partition = partition_of(each, self._topic.partitions)
            messages.append((partition, encode_record(post.iss, each, sent[partition])))
            sent[partition] = _numbered(each)
        return messages

    def _beyond(self, tails: Sequence[Tail], marked: Position | None) -> Position | None:
        """The last position in the topic that our log does not have, None for none."""
        unknown = [marked] if marked is not None and self._hash_at(marked) is None else []
        for tail in tails:
            for record in sorted(tail.records, key=_numbered, reverse=True):
                position, ours = _numbered(record), self._hash_at(_numbered(record))
                if ours is not None and ours != record.hash:
                    msg = f"the topic has another record at {position}"
                    raise AnotherHistory(msg)
                if ours is not None:  # and with it all before it
                    break
                if marked is None or position > marked:  # what is older was put right when the epoch was raised
                    unknown.append(position)
        return max(unknown, default=None)


def _numbered(recorded: Recorded) -> Position:
    if recorded.position is None:
        raise ValueError("only numbered records travel")
    return recorded.position

"""Reads partitions of a topic from given offsets: the only door to kafka-python's consumer. No group, no commits, no resets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import LogTruncationError, OffsetOutOfRangeError

from eventlog.kafka.client import options
from eventlog.kafka.cloudevents import Message
from eventlog.kafka.connecting import Connecting
from eventlog.kafka.errors import TopicMismatch
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.topics import Topic

OLDEST = -1
"""The first offset that a partition still has."""

_FETCH_BYTES = 8 << 20
_APPENDED = 1  # timestamp_type: the broker's clock


@dataclass(frozen=True, slots=True)
class Fetched:
    """`appended`: the broker's clock in milliseconds when it was written, None where the topic keeps the writer's."""

    partition: int
    offset: int
    message: Message
    appended: int | None


class _Record(Protocol):
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class _Client(Protocol):
    def partitions_for_topic(self, topic: str) -> set[int]: ...

    def assign(self, partitions: list[TopicPartition]) -> None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None: ...

    def seek_to_beginning(self, *partitions: TopicPartition) -> None: ...

    def poll(self, timeout_ms: float) -> Mapping[TopicPartition, Sequence[_Record]]: ...

    def position(self, partition: TopicPartition, timeout_ms: float) -> int | None: ...

    def beginning_offsets(self, partitions: list[TopicPartition], timeout_ms: float) -> Mapping[TopicPartition, int]: ...

    def end_offsets(self, partitions: list[TopicPartition], timeout_ms: float) -> Mapping[TopicPartition, int]: ...

    def close(self) -> None: ...


class Consumer:
    """It belongs to one thread at a time. Every method may raise KafkaUnavailable, reading ones TopicMismatch."""

    def __init__(self, settings: KafkaSettings, topic: Topic) -> None:
        self._topic = topic
        self._wait_ms = settings.timeout * 1000
        self._connecting = Connecting()
        with self._connecting.translated():
            self._client = _consumer(settings, self._connecting)
        self._checked = False

    def assign(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions from these offsets on; one that is out of range counts as OLDEST."""
        with self._connecting.translated():
            self._client.assign([self._place(partition) for partition in offsets])
            for partition, offset in offsets.items():
                self._seek(self._place(partition), offset)

    def poll(self, wait: float) -> Sequence[Fetched]:
        """What came, in order within each partition; waits up to `wait` seconds for the first."""
        with self._connecting.translated():
            try:
                found = self._client.poll(timeout_ms=wait * 1000)
            except OffsetOutOfRangeError as error:
                self._restart(error.args[0])
                return ()
            except LogTruncationError as error:
                self._restart(error.divergent_offsets)
                return ()
            if found:
                self._check()
        return [_fetched(record) for records in found.values() for record in records]

    def bounds(self, partitions: Iterable[int]) -> Mapping[int, tuple[int, int]]:
        """The offset of the oldest message of each partition, and the one that the next will get."""
        places = [self._place(partition) for partition in partitions]
        with self._connecting.translated():
            begin = self._client.beginning_offsets(places, timeout_ms=self._wait_ms)
            end = self._client.end_offsets(places, timeout_ms=self._wait_ms)
            self._check()
        return {place.partition: (begin[place], end[place]) for place in places}

    def behind(self, partitions: Iterable[int]) -> bool:
        """Whether a partition has more than was polled."""
        places = [self._place(partition) for partition in partitions]
        with self._connecting.translated():
            end = self._client.end_offsets(places, timeout_ms=self._wait_ms)
            self._check()
            return any((self._client.position(place, timeout_ms=self._wait_ms) or 0) < end[place] for place in places)

    def close(self) -> None:
        """End the connection."""
        with closing(self._connecting), self._connecting.translated():
            self._client.close()

    def _check(self) -> None:
        """Called when the topic has just answered: its partitions are known then, else kafka-python would wait without end."""
        if not self._checked and len(self._client.partitions_for_topic(self._topic.name)) != self._topic.partitions:
            raise TopicMismatch(self._topic.mismatch)
        self._checked = True

    def _restart(self, places: Iterable[TopicPartition]) -> None:
        self._client.seek_to_beginning(*places)

    def _seek(self, place: TopicPartition, offset: int) -> None:
        if offset == OLDEST:
            self._client.seek_to_beginning(place)
        else:
            self._client.seek(place, offset)

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._topic.name, partition)


def _consumer(settings: KafkaSettings, connecting: Connecting) -> _Client:
    client: _Client = KafkaConsumer(
        **options(settings),
        kafka_client=connecting.client,
        metrics_enabled=False,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",  # its default would skip to the end
        allow_auto_create_topics=False,
        fetch_max_bytes=_FETCH_BYTES,
        fetch_max_wait_ms=min(250, int(settings.timeout * 500)),
    )
    return client


def _fetched(record: _Record) -> Fetched:
    headers = tuple((name, value or b"") for name, value in record.headers)
    appended = record.timestamp if record.timestamp_type == _APPENDED else None
    return Fetched(record.partition, record.offset, Message(record.key, record.value, headers), appended)

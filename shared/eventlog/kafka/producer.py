"""Writes to a topic, so that what returned is in it. The only door to kafka-python's producer, whose traps end here.

It has no bound on what it holds in memory: here one window is in flight. It reports less than it did: an error says nothing
about whether a message is in the topic, so whoever sends goes on from what it knows to be there, and readers drop what they
have. After an error it may keep a batch for ever and refuse to close until that is delivered: it is made to give up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Protocol

from kafka import KafkaProducer

from eventlog.kafka.client import options
from eventlog.kafka.cloudevents import Message
from eventlog.kafka.connecting import Connecting
from eventlog.kafka.errors import KafkaUnavailable, TopicMismatch
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.topics import Topic

_WINDOW = 500
_WINDOW_BYTES = 4 << 20


class _Metadata(Protocol):
    offset: int


class _Future(Protocol):
    def get(self, timeout: float) -> _Metadata | None: ...


class _Sender(Protocol):
    def force_close(self) -> None: ...


class _Client(Protocol):
    _sender: _Sender

    def partitions_for(self, topic: str) -> set[int]: ...

    def send(
        self, topic: str, *, value: bytes | None, key: bytes | None, headers: list[tuple[str, bytes]], partition: int
    ) -> _Future: ...

    def close(self, timeout: float) -> None: ...


class Producer:
    """One topic's writer; it belongs to one thread, and blocks it."""

    def __init__(self, settings: KafkaSettings, topic: Topic) -> None:
        self._settings = settings
        self._topic = topic
        self._client: _Client | None = None
        self._connecting = Connecting()

    def deliver(self, messages: Iterable[tuple[int, Message]]) -> None:
        """Write messages to the partitions named, in order within each, and wait until all in-sync replicas have them.

        KafkaUnavailable: some of them may be there and others not. TopicMismatch.
        """
        try:
            with self._connecting.translated():
                client = self._open()
                for window in _windows(messages):
                    self._write(client, window)
        except Exception:
            self._give_up()
            raise

    def close(self) -> None:
        """End the connection."""
        try:
            with self._connecting.translated():
                if self._client is not None:
                    self._client.close(self._settings.timeout)
                    self._client = None
        except KafkaUnavailable:
            self._give_up()

    def _give_up(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        client._sender.force_close()  # noqa: SLF001  (there is no other way to drop what it will never deliver)
        with suppress(KafkaUnavailable), self._connecting.translated():
            client.close(self._settings.timeout)

    def _open(self) -> _Client:
        if self._client is not None:
            return self._client
        self._client = _producer(self._settings, self._connecting)
        if len(self._client.partitions_for(self._topic.name)) != self._topic.partitions:
            raise TopicMismatch(self._topic.mismatch)
        return self._client

    def _write(self, client: _Client, window: list[tuple[int, Message]]) -> None:
        futures = [
            client.send(
                self._topic.name, value=message.value, key=message.key, headers=list(message.headers), partition=partition
            )
            for partition, message in window
        ]
        for future in futures:
            written = future.get(3 * self._settings.timeout)
            if written is None or written.offset < 0:
                raise KafkaUnavailable("Kafka: a message was not acknowledged")


def _producer(settings: KafkaSettings, connecting: Connecting) -> _Client:
    client: _Client = KafkaProducer(
        **options(settings),
        kafka_client=connecting.client,
        metrics_enabled=False,
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,
        max_block_ms=int(settings.timeout * 1000),
        delivery_timeout_ms=int(settings.timeout * 2000),
    )
    return client


def _windows(messages: Iterable[tuple[int, Message]]) -> Iterator[list[tuple[int, Message]]]:
    window: list[tuple[int, Message]] = []
    size = 0
    for partition, message in messages:
        window.append((partition, message))
        size += len(message.value or b"") + sum(len(value) for _, value in message.headers)
        if len(window) == _WINDOW or size >= _WINDOW_BYTES:
            yield window
            window, size = [], 0
    if window:
        yield window

"""Which records stay in order with each other in a topic. Pure."""

from __future__ import annotations

from kafka.partitioner.default import murmur2

from eventlog.port import Recorded


def key_of(recorded: Recorded) -> str:
    """The log's subject id, so that all that concerns an account stays in order; without one the stream."""
    return recorded.event.subject or recorded.stream


def partition_of(recorded: Recorded, partitions: int) -> int:
    """The partition by the key's murmur2, as every Kafka client chooses it by default."""
    hashed: int = murmur2(key_of(recorded).encode())
    return (hashed & 0x7FFFFFFF) % partitions

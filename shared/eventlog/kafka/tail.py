"""The end of a topic: what it says about how far a source was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eventlog.kafka.cloudevents import Marked, decode, source_of
from eventlog.kafka.consumer import Consumer, Fetched
from eventlog.kafka.errors import KafkaUnavailable
from eventlog.port import Recorded
from rescind.position import Position

_FIRST = 200
_MOST = 50_000  # a source whose last watermark lies behind so many messages counts as unknown: its own cursor decides


@dataclass(slots=True)
class Tail:
    """Of one partition: the source's last watermark there, None for none, and its records around it."""

    marked: Position | None = None
    records: list[Recorded] = field(default_factory=list)


def read_tail(consumer: Consumer, partitions: int, iss: str, *, wait: float) -> Sequence[Tail]:
    """The tail of every partition, read backwards until a watermark of `iss`; KafkaUnavailable, UnreadableMessage."""
    bounds = consumer.bounds(range(partitions))
    found: dict[int, Tail] = {}
    window = _FIRST
    while missing := [each for each in range(partitions) if each not in found]:
        begin = {each: max(bounds[each][0], bounds[each][1] - window) for each in missing}
        end = {each: bounds[each][1] for each in missing}
        read = _read(consumer, begin, end, iss, wait)
        complete = [each for each in missing if begin[each] == bounds[each][0] or window >= _MOST]
        found |= {each: tail for each, tail in read.items() if tail.marked is not None or each in complete}
        window *= 8
    return [found[partition] for partition in range(partitions)]


def _read(consumer: Consumer, begin: Mapping[int, int], end: Mapping[int, int], iss: str, wait: float) -> Mapping[int, Tail]:
    tails = {partition: Tail() for partition in begin}
    left = {partition for partition in begin if begin[partition] < end[partition]}
    consumer.assign(begin)
    while left:
        fetched = consumer.poll(wait)
        if not fetched:
            raise KafkaUnavailable("Kafka: the end of the topic cannot be read")
        for each in fetched:
            _add(tails[each.partition], each, iss)
            if each.offset + 1 >= end[each.partition]:
                left.discard(each.partition)
    return tails


def _add(tail: Tail, fetched: Fetched, iss: str) -> None:
    if source_of(fetched.message) != iss:
        return
    read = decode(fetched.message)
    if isinstance(read, Marked):
        tail.marked = read.mark.position if tail.marked is None else max(tail.marked, read.mark.position)
    else:
        tail.records.append(read.recorded)

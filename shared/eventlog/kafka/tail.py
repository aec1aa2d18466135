"""The end of a topic: how far a source was sent, and where to go on from a position. Read backwards, in growing pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from eventlog.kafka.cloudevents import Marked, decode, source_of
from eventlog.kafka.consumer import OLDEST, Consumer, Fetched
from eventlog.kafka.errors import KafkaUnavailable, UnreadableMessage
from eventlog.port import Recorded
from rescind.position import Position

_FIRST = 200
_MOST = 50_000  # what lies behind so many messages is not looked for


@dataclass(slots=True)
class Tail:
    """Of one partition, from the offset `begin` on: the source's last watermark there, None for none, and its records.

    `prev`: what its first message follows on.
    """

    begin: int
    marked: Position | None = None
    prev: Position | None = None
    records: list[Recorded] = field(default_factory=list)


def read_tails(consumer: Consumer, partitions: int, iss: str, *, wait: float) -> Mapping[int, Tail]:
    """The tail of every partition, down to a watermark of `iss`; KafkaUnavailable. What cannot be read is left to readers."""
    return _search(consumer, range(partitions), iss, wait, lambda _, tail: tail.marked is not None)


def find_offsets(consumer: Consumer, positions: Mapping[int, Position], iss: str, *, wait: float) -> Mapping[int, int]:
    """An offset in each of these partitions from which on everything after its position is there, or OLDEST; KafkaUnavailable."""

    def early(partition: int, tail: Tail) -> bool:
        return tail.prev is not None and tail.prev <= positions[partition]

    tails = _search(consumer, positions, iss, wait, early)
    return {partition: tail.begin if early(partition, tail) else OLDEST for partition, tail in tails.items()}


def _search(
    consumer: Consumer, partitions: Iterable[int], iss: str, wait: float, enough: Callable[[int, Tail], bool]
) -> Mapping[int, Tail]:
    bounds = consumer.bounds(partitions)
    found: dict[int, Tail] = {}
    window = _FIRST
    while missing := [each for each in bounds if each not in found]:
        tails = {each: Tail(max(bounds[each][0], bounds[each][1] - window)) for each in missing}
        _read(consumer, tails, {each: bounds[each][1] for each in missing}, iss, wait)
        whole = [each for each in missing if tails[each].begin == bounds[each][0] or window >= _MOST]
        found |= {each: tail for each, tail in tails.items() if each in whole or enough(each, tail)}
        window *= 8
    return found


def _read(consumer: Consumer, tails: Mapping[int, Tail], end: Mapping[int, int], iss: str, wait: float) -> None:
    left = {partition for partition, tail in tails.items() if tail.begin < end[partition]}
    consumer.assign({partition: tail.begin for partition, tail in tails.items()})
    while left:
        fetched = consumer.poll(wait)
        if not fetched:
            raise KafkaUnavailable("Kafka: the end of the topic cannot be read")
        for each in fetched:
            _add(tails[each.partition], each, iss)
            if each.offset + 1 >= end[each.partition]:
                left.discard(each.partition)


def _add(tail: Tail, fetched: Fetched, iss: str) -> None:
    try:
        read = decode(fetched.message) if source_of(fetched.message) == iss else None
    except UnreadableMessage:
        return
    if read is None:
        return
    if tail.prev is None:
        tail.prev = read.prev
    if isinstance(read, Marked):
        tail.marked = read.mark.position if tail.marked is None else max(tail.marked, read.mark.position)
    else:
        tail.records.append(read.recorded)

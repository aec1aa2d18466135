"""A topic as a feed of one source's records: never a gap, whatever the topic lost.

In one partition a message counts only if everything up to its `prev` was read. Otherwise the partition stops there, and what
is missing comes from the source's own log (`Refill`). A message that cannot be understood stops the feed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from eventlog.kafka.cloudevents import Marked, Sent, decode, source_of
from eventlog.kafka.consumer import OLDEST, Consumer, Fetched
from eventlog.kafka.errors import KafkaUnavailable, RefillUnavailable, UnreadableMessage
from eventlog.kafka.marks import later, least
from eventlog.kafka.partitioning import partition_of
from eventlog.kafka.places import UNKNOWN, Place, read_places, write_places
from eventlog.kafka.refill import Refill
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.tail import find_offsets
from eventlog.kafka.topics import Topic
from eventlog.port import START, Batch, Checkpoint, Recorded
from eventlog.source_mark import SourceMark
from rescind.position import BEGINNING, Position

_QUIET = 1000  # so many watermarks may be read again after a restart


@dataclass(frozen=True, slots=True)
class MarkedBatch:
    """`mark` holds once the records are applied; None until one was read from every partition since the feed was opened.

    `ahead`: the source's clock runs ahead of the broker's by more than the skew, so that its time was not believed.
    """

    records: tuple[Recorded, ...]
    checkpoint: Checkpoint
    mark: SourceMark | None
    ahead: bool


class KafkaFeed:
    """EventFeed over the partitions given (all by default); order within a partition, and so within a stream.

    A checkpoint is JSON (`places`). The Kafka client is made at the first read, and anew after an error.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topic: Topic,
        *,
        iss: str,
        refill: Refill,
        partitions: Sequence[int] | None = None,
        max_skew: int = 2000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._iss = iss
        self._refill = refill
        self._partitions = tuple(range(topic.partitions) if partitions is None else partitions)
        self._max_skew = max_skew
        self._clock = clock
        self._lock = threading.Lock()
        self._consumer: Consumer | None = None
        self._given: set[Checkpoint] = set()  # what the state below belongs to: with no record between them, any of these
        self._places: dict[int, Place] = {}
        self._marks: dict[int, SourceMark] = {}
        self._ahead: set[int] = set()
        self._waiting: dict[int, deque[Fetched]] = {}
        self._quiet = 0

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        """Records after the checkpoint. See EventFeed; also KafkaUnavailable, RefillUnavailable, UnreadableMessage.

        After very many messages without a record, a batch without records has a checkpoint that is worth keeping.
        """
        with self._lock:
            found = self._read(after, limit, wait, lambda: False)
            checkpoint = write_places(self._places) if found or self._quiet >= _QUIET else after
            self._give(after, checkpoint, found)
        return Batch(tuple(found), checkpoint)

    def read_marked(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> MarkedBatch:
        """As `read`, and the watermark; returns as soon as there is a record or a newer watermark. Apply every batch."""
        with self._lock:
            before = self._mark() if after in self._given else None
            found = self._read(after, limit, wait, lambda: self._mark() not in (None, before))
            checkpoint = write_places(self._places)
            self._give(after, checkpoint, found)
            return MarkedBatch(tuple(found), checkpoint, self._mark(), bool(self._ahead))

    def close(self) -> None:
        """End the connection; the next read makes another."""
        with self._lock:
            self._close()

    def _read(self, after: Checkpoint, limit: int, wait: float, done: Callable[[], bool]) -> list[Recorded]:
        deadline = self._clock() + wait
        found: list[Recorded] = []
        try:
            consumer = self._go_to(after)
            self._take(found, limit)
            while not found and not done():
                left = deadline - self._clock()
                if left <= 0 and (left < -self._settings.timeout or not consumer.behind(self._partitions)):
                    break  # nothing of ours, up to what was there when the time was over
                self._add(consumer.poll(max(left, 0.05)))
                self._take(found, limit)
        except BaseException as error:
            self._given = set()  # what was taken is not given: begin again at the next checkpoint
            if isinstance(error, KafkaUnavailable):
                self._close()
            raise
        return sorted(found, key=_numbered)

    def _go_to(self, after: Checkpoint) -> Consumer:
        if self._consumer is None:
            self._consumer, self._given = Consumer(self._settings, self._topic), set()
        if after not in self._given:
            self._places = dict(read_places(after, self._partitions))
            self._consumer.assign(self._offsets(self._consumer))
            self._marks, self._ahead, self._quiet = {}, set(), 0
            self._waiting = {each: deque() for each in self._partitions}
        return self._consumer

    def _offsets(self, consumer: Consumer) -> Mapping[int, int]:
        """Where to look for more: near the end, where only a position is known."""
        unknown = {each: at.last for each, at in self._places.items() if at.offset == UNKNOWN and at.last != BEGINNING}
        found = find_offsets(consumer, unknown, self._iss, wait=self._settings.timeout) if unknown else {}
        return {each: OLDEST if at.offset == UNKNOWN else at.offset for each, at in self._places.items()} | dict(found)

    def _give(self, after: Checkpoint, checkpoint: Checkpoint, found: Sequence[Recorded]) -> None:
        self._given = {checkpoint} if found else {after, checkpoint}
        if checkpoint != after:
            self._quiet = 0

    def _close(self) -> None:
        consumer, self._consumer, self._given = self._consumer, None, set()
        if consumer is not None:
            consumer.close()

    def _add(self, fetched: Sequence[Fetched]) -> None:
        for each in fetched:
            self._waiting[each.partition].append(each)

    def _take(self, found: list[Recorded], limit: int) -> None:
        for partition in self._partitions:
            waiting = self._waiting[partition]
            while waiting and len(found) < limit:
                if not self._take_one(waiting[0], found, limit):
                    break
                waiting.popleft()

    def _take_one(self, fetched: Fetched, found: list[Recorded], limit: int) -> bool:
        """Read one message; whether it is done with."""
        place = self._places[fetched.partition]
        try:
            read = decode(fetched.message) if source_of(fetched.message) == self._iss else None
        except UnreadableMessage as error:
            if found:  # what came before it counts
                return False
            msg = f"{self._topic.name}, partition {fetched.partition}, offset {fetched.offset}: {error}"
            raise UnreadableMessage(msg) from None
        while read is not None and read.prev > self._places[fetched.partition].last:
            if len(found) >= limit or not self._fill(fetched, found, limit - len(found)):
                return False
        place = self._places[fetched.partition]
        if isinstance(read, Marked):
            self._remember(fetched, read.mark)
            place = replace(place, last=max(place.last, read.mark.position))
        elif isinstance(read, Sent) and (_numbered(read.recorded) > place.last or read.replaces is not None):
            found.append(read.recorded)
            place = replace(place, last=max(place.last, _numbered(read.recorded)))
        self._places[fetched.partition] = replace(place, offset=fetched.offset + 1)
        self._quiet += 1
        return True

    def _fill(self, before: Fetched, found: list[Recorded], limit: int) -> bool:
        """Take what is missing from the source's log; whether there was any. RefillUnavailable when it has none yet."""
        after = self._places[before.partition].last
        records = self._refill.records(after, limit=limit)
        if not records or _numbered(records[-1]) <= after:
            if found:
                return False
            msg = f"{self._topic.name}, partition {before.partition}: the source's log has nothing after {after} yet"
            raise RefillUnavailable(msg)
        filled = {each for each, place in self._places.items() if place.last >= after}
        for each in records:
            partition = partition_of(each, self._topic.partitions)
            if partition in filled and _numbered(each) > self._places[partition].last:
                found.append(each)
                self._go_on(partition, _numbered(each))
        for partition in filled:
            self._go_on(partition, _numbered(records[-1]))
        return True

    def _go_on(self, partition: int, position: Position) -> None:
        place = self._places[partition]
        self._places[partition] = replace(place, last=max(place.last, position))

    def _remember(self, fetched: Fetched, mark: SourceMark) -> None:
        self._ahead.discard(fetched.partition)
        if fetched.appended is not None and mark.time > fetched.appended + self._max_skew:
            self._ahead.add(fetched.partition)
            mark = replace(mark, time=0)
        self._marks[fetched.partition] = later(self._marks.get(fetched.partition), mark)

    def _mark(self) -> SourceMark | None:
        return least([self._marks.get(each) for each in self._partitions])


def _numbered(recorded: Recorded) -> Position:
    if recorded.position is None:
        raise ValueError("only numbered records travel")
    return recorded.position

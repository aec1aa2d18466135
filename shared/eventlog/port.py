"""The ports of the event log. They promise order within a stream, at-least-once, resumable; nothing across streams.

Synchronous on purpose (ADR 3): the HTTP layer is the only async edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType, Protocol

from rescind.position import Position

Checkpoint = NewType("Checkpoint", str)
"""How far a reader has come; opaque, only the feed that gave it reads it."""

START = Checkpoint("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a writer appends. `id` is unique over the log; `time` is milliseconds since the epoch by the writer's clock."""

    id: str
    type: str  # explicit, versioned wire name
    time: int
    subject: str = ""  # the log's subject id
    session: str = ""  # sid
    data: bytes = b"{}"  # canonical JSON
    personal: bytes = b""  # sealed with the subject's key, or empty


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in the log. `position` and `hash` (of the chain) are given after commit, by the sequencer."""

    stream: str
    version: int  # 1 for a stream's first event
    event: Event
    position: Position | None = None
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records in position order and the checkpoint behind the last of them."""

    records: tuple[Recorded, ...]
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Watermark:
    """Everything committed before `time` (ms, the database's clock) has a position, and the last one is `position`."""

    position: Position
    time: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One event with the place it claims: `version` must be the stream's next."""

    stream: str
    version: int
    event: Event


class EventStore(Protocol):
    """The write side."""

    def append(self, stream: str, events: Sequence[Event], *, expected_version: int) -> Sequence[Recorded]:
        """Append all or nothing; VersionConflict unless the stream is at `expected_version`, DuplicateEvent for a known id."""
        ...

    def read_stream(self, stream: str, *, after_version: int = 0) -> Sequence[Recorded]:
        """A stream's records in version order; empty for an unknown stream."""
        ...


class EventFeed(Protocol):
    """The read side: numbered records only, in position order."""

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:
        """Records after the checkpoint; waits up to `wait` seconds for the first of them."""
        ...


class Projection(Protocol):
    """A fold with a memory of how far it came."""

    def checkpoint(self) -> Checkpoint:
        """Where to go on from."""
        ...

    def apply(self, batch: Batch) -> None:
        """Apply effect and checkpoint in one transaction; the same batch twice is the same as once."""
        ...

"""How far a reader of a topic has come with one source: a checkpoint's content. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eventlog.port import Checkpoint
from rescind.position import BEGINNING, Position

UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Place:
    """In one partition: everything of the source up to `last` was read; `offset` is where to look for more.

    `last` decides; an `offset` that is wrong or UNKNOWN only costs time.
    """

    last: Position = BEGINNING
    offset: int = UNKNOWN


def read_places(checkpoint: Checkpoint, partitions: Iterable[int]) -> Mapping[int, Place]:
    """The place in each of these partitions; ValueError for another text than `write_places` gives.

    A position's text (of the same log, read on another road) says that everything up to there was read.
    """
    if not checkpoint:
        return {partition: Place() for partition in partitions}
    if not checkpoint.startswith("{"):
        return {partition: Place(Position.parse(checkpoint)) for partition in partitions}
    found = json.loads(checkpoint)
    return {partition: _place(found.get(str(partition), [str(BEGINNING), UNKNOWN])) for partition in partitions}


def write_places(places: Mapping[int, Place]) -> Checkpoint:
    """JSON: partition -> [position, offset]."""
    found = {str(partition): [str(place.last), place.offset] for partition, place in sorted(places.items())}
    return Checkpoint(json.dumps(found, separators=(",", ":")))


def _place(found: object) -> Place:
    match found:
        case [str(position), int(offset)]:
            return Place(Position.parse(position), offset)
    raise ValueError("a place is a position and an offset")

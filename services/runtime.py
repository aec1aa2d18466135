"""What a room gives to the process that runs it: a router, loops, what it still misses, what it measures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import APIRouter


@dataclass(frozen=True, slots=True)
class Loop:
    """Work that goes on until `stop` is set, in a thread of its own. It returns; when it raises, the process is not ready."""

    name: str
    run: Callable[[threading.Event], None]


@dataclass(frozen=True, slots=True)
class Measure:
    """One gauge, read when somebody scrapes. `name` without the `rescind_` in front, with its unit at the end."""

    name: str
    words: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """A room, ready to be served. Its router's paths are written out in full.

    `ready`: name of what is missing -> a sentence about it; empty means ready. `warnings`: the same for what does not get on
    though the service does its work: on one of two roads, say.
    """

    name: str
    router: APIRouter
    loops: Sequence[Loop] = ()
    ready: Callable[[], Mapping[str, str]] = dict
    measures: Callable[[], Sequence[Measure]] = tuple
    warnings: Callable[[], Mapping[str, str]] = dict


class Streams:
    """The open event streams. They end when the process stops, before connections are drained.

    Belongs to the event loop: call it from there only.
    """

    def __init__(self) -> None:
        self._enders: dict[int, Callable[[], None]] = {}
        self._last = 0
        self.ended = False

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._enders)

    @contextmanager
    def opened(self, end: Callable[[], None]) -> Iterator[None]:
        """A stream is open for as long as this lasts. `end` is called once at stop, at once when we stop already."""
        if self.ended:
            end()
        self._last += 1
        key = self._last
        self._enders[key] = end
        try:
            yield
        finally:
            del self._enders[key]

    def end(self) -> None:
        """End all of them."""
        self.ended = True
        for end in tuple(self._enders.values()):
            end()


class CannotStart(Exception):
    """One clear line that says what is wrong and what to do; shown alone, before the process exits with `status`."""

    status = 1


class BadSetting(CannotStart):
    """What was asked for cannot be."""

    status = 2

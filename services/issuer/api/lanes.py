"""A lane of its own for slow work, so that a flood of sign-ins does not take the threads of everybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from eventlog.errors import Overloaded

_R = TypeVar("_R")


class Lane:
    """At most `width` threads work at one time, and `waiting` calls wait for one; more is Overloaded (answer: retry)."""

    def __init__(self, width: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(width)
        self._room = width + waiting
        self._inside = 0  # counted here: the limiter counts a call only after it has yielded

    async def run(self, work: Callable[[], _R]) -> _R:
        """Do it in a thread of this lane."""
        if self._inside >= self._room:
            raise Overloaded("too many wait in this lane")
        self._inside += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1

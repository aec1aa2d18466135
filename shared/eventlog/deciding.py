"""Group commit: what waits is decided and committed together, in one transaction."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from eventlog.errors import Contention, Overloaded, StoreUnavailable, UnknownOutcome, VersionConflict

C = TypeVar("C")
R = TypeVar("R")

_ATTEMPTS = 3
_PAUSE_S = 0.1  # how late a stop is noticed while nothing waits


class Committer(Generic[C, R]):
    """Takes all commands that wait (no linger) and hands them to `commit`, one batch at a time.

    `commit` decides them in turn, commits one transaction and returns a result or an exception per command. What it raises
    itself concerns the batch: UnknownOutcome and StoreUnavailable reach every caller of it. After anything else nothing is
    written, and each command is committed alone (at most 3 times on a conflict), so that only the guilty one suffers.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[C]], Sequence[R | Exception]],
        *,
        name: str,
        max_batch: int = 256,
        max_waiting: int = 4096,
    ) -> None:
        self._commit = commit
        self._name = name
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[C, Future[R]]] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def submit(self, command: C) -> Future[R]:
        """Queue a command; Overloaded when too many wait. After `close` it is committed at once, in the caller's thread."""
        future: Future[R] = Future()
        with self._changed:
            if len(self._waiting) >= self._max_waiting:
                msg = f"{self._name}: too many commands wait"
                raise Overloaded(msg)
            self._waiting.append((command, future))
            self._changed.notify()
            closed = self._closed
        if closed:
            self.step()
        return future

    def run(self, stop: threading.Event) -> None:
        """Commit batch after batch until stopped, then close: nobody is left waiting."""
        while not stop.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._waiting, _PAUSE_S)
            self.step()
        self.close()

    def close(self) -> None:
        """Commit what waits. Requests that are still being drained commit in their own threads from now on."""
        with self._changed:
            self._closed = True
        while self.step():
            pass

    def step(self) -> int:
        """Commit one batch of what waits; how many there were."""
        with self._changed:
            taken = [self._waiting.popleft() for _ in range(min(self._max_batch, len(self._waiting)))]
        batch = [(command, future) for command, future in taken if future.set_running_or_notify_cancel()]
        if batch:
            self._settle(batch)
        return len(taken)

    def _settle(self, batch: Sequence[tuple[C, Future[R]]]) -> None:
        try:
            results = self._results([command for command, _ in batch])
        except Exception as error:  # noqa: BLE001  (it reaches its callers; this thread serves the next ones)
            if len(batch) > 1 and not _concerns_all(error):
                for each in batch:
                    self._settle([each])
                return
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _results(self, commands: Sequence[C]) -> Sequence[R | Exception]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                results = self._commit(commands)
            except (VersionConflict, Contention):
                if len(commands) > 1 or attempt == _ATTEMPTS:
                    raise
            else:
                if len(results) != len(commands):
                    msg = f"{self._name}: {len(results)} results for {len(commands)} commands"
                    raise UnknownOutcome(msg)
                return results
        raise AssertionError  # the last attempt returns or raises


def _concerns_all(error: Exception) -> bool:
    return isinstance(error, (StoreUnavailable, UnknownOutcome)) and not isinstance(error, Contention)

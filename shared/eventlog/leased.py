"""Runs a loop only while this process holds the lease for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from eventlog.errors import StoreUnavailable, UnknownOutcome
from eventlog.sql.leases import Leases

_RENEWALS = 4  # within one life of the lease


class Leased:
    """A loop that wraps another one: `work` is called with an event of its own, which is set when the lease is lost.

    `may`: asked before the lease is taken or renewed; where it says no, another process gets it. `holding`: whether the work runs
    here. `clock` in seconds.
    """

    def __init__(
        self,
        leases: Leases,
        name: str,
        work: Callable[[threading.Event], None],
        *,
        may: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._may = may
        self._leases = leases
        self._name = name
        self._work = work
        self._clock = clock
        self._life_s = leases.life_ms / 1000
        self.holding = False

    def run(self, stop: threading.Event) -> None:
        """Wait for the lease, work, hand it back; again and again until stopped. What the work raises is raised."""
        while not stop.is_set():
            if self._take():
                self._hold(stop)
            stop.wait(self._life_s / _RENEWALS)

    def _hold(self, stop: threading.Event) -> None:
        ended = threading.Event()
        failed: list[BaseException] = []
        worker = threading.Thread(target=self._working, args=(ended, failed), name=self._name, daemon=True)
        worker.start()
        self.holding, good_until = True, self._clock() + self._life_s
        try:
            while worker.is_alive() and not stop.wait(self._life_s / _RENEWALS):
                asked = self._clock()
                taken = self._take()
                if taken:
                    good_until = asked + self._life_s
                elif taken is False or self._clock() >= good_until:
                    break
        finally:
            ended.set()
            worker.join()
            self.holding = False
            self._give_back()
        if failed:
            raise failed[0]

    def _working(self, ended: threading.Event, failed: list[BaseException]) -> None:
        try:
            self._work(ended)
        except BaseException as error:  # noqa: BLE001  (it is raised in the thread that waits for this one)
            failed.append(error)

    def _take(self) -> bool | None:
        """None where the database does not say."""
        try:
            return self._may() and self._leases.take(self._name)
        except (StoreUnavailable, UnknownOutcome):
            return None

    def _give_back(self) -> None:
        try:
            self._leases.give_back(self._name)
        except (StoreUnavailable, UnknownOutcome):
            return  # it runs out by itself

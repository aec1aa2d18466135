"""The threads behind a process: started together, stopped together, and seen when they die."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence

from services.logs import type_name
from services.runtime import Loop

logger = logging.getLogger(__name__)


class Loops:
    """Runs each loop in a thread of its own until `stop`."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._stop = threading.Event()
        self._died: dict[str, str] = {}
        self._threads = [threading.Thread(target=self._run, args=(loop,), name=loop.name, daemon=True) for loop in loops]

    def start(self) -> None:
        """Start them all."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ask all to end, wait for them together, and say in the log which did not."""
        self._stop.set()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                logger.warning("loop did not end", extra={"fields": {"loop": thread.name}})

    def died(self) -> Mapping[str, str]:
        """The loops that ended on their own, each with a sentence."""
        return dict(self._died)

    def alive(self) -> Mapping[str, bool]:
        """Every loop by name."""
        return {thread.name: thread.is_alive() for thread in self._threads}

    def _run(self, loop: Loop) -> None:
        try:
            loop.run(self._stop)
        except Exception as error:
            logger.exception("loop died", extra={"fields": {"loop": loop.name}})
            self._died[loop.name] = f"The loop died with {type_name(error)}; the log says where. Restart the process."
        else:
            if not self._stop.is_set():
                self._died[loop.name] = "The loop ended by itself. Restart the process."

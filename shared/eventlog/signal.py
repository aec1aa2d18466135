"""A wake-up between threads that is never lost: who waits names what it has seen."""

from __future__ import annotations

from threading import Condition


class Signal:
    """A counter to wait on. Read `count`, look at the world, then wait for more than that."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """How often it was given."""
        return self._count

    def give(self) -> None:
        """Wake all who wait."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout: float) -> None:
        """Return once it was given more than `seen` times, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > seen, timeout)

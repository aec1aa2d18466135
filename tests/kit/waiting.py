"""Waiting for what another thread does, without a guess how long it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_TURN = threading.Event()  # nobody sets it: a wait on it is a short pause


def until(done: Callable[[], bool], *, timeout: float = 10.0) -> None:
    """Return as soon as `done()`; an AssertionError when that does not come."""
    ends = time.monotonic() + timeout
    while not done():
        assert time.monotonic() < ends, "it never came to that"
        _TURN.wait(0.005)

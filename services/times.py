"""Times: milliseconds since the epoch inside, ISO 8601 in UTC on the wire."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Now = Callable[[], int]
"""The wall clock in milliseconds; injected wherever a decision needs it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_ms() -> int:
    """The wall clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """`2026-11-24T19:22:27.123Z`: always UTC, always three decimals."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> int:
    """Read an ISO 8601 time with an offset or `Z` as milliseconds; ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = "a time needs its offset, for example 2026-11-24T19:22:27.123Z"
        raise ValueError(msg)
    return (moment - _EPOCH) // timedelta(milliseconds=1)

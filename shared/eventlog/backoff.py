"""How long to wait after a failure."""

from __future__ import annotations

import random

_FIRST_S = 0.05
_MOST_S = 5.0


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: exponential with full jitter, 5 s at most."""
    return random.uniform(0, min(_MOST_S, _FIRST_S * 2.0 ** min(failures, 16)))  # noqa: S311  (spreads load, guards nothing)

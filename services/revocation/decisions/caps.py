"""The brake on automated revocations: so many a minute, and so large a share of the live sessions an hour. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Caps:
    """`share` is a fraction of the live sessions; `floor` is how many an hour are allowed however few sessions live."""

    per_minute: int
    share: float
    floor: int


@dataclass(frozen=True, slots=True)
class Over:
    """Which cap a revocation would go over, and for how many seconds it may stay so."""

    cap: str
    limit: int
    retry_after: int


def over(caps: Caps, *, last_minute: int, last_hour: int, weight: int | None, live_sessions: int) -> Over | None:
    """Judge one more revocation, of `weight` sessions (None: any number), after so many a minute and sessions an hour."""
    if last_minute + 1 > caps.per_minute:
        return Over("per_minute", caps.per_minute, MINUTE_MS // 1000)
    limit = max(caps.floor, int(caps.share * live_sessions))
    if weight is None or last_hour + weight > limit:
        return Over("share", limit, HOUR_MS // 1000)
    return None

"""What can be set about the revocation service. `services/settings.py` fills it; the defaults are the documented ones."""

from __future__ import annotations

from dataclasses import dataclass

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationSettings:
    """Durations in seconds unless the name says otherwise."""

    lift_window: int = 7 * _DAY_S
    access_life: int = 15 * 60 + 30  # the longest life of an access token, with the leeway of verifiers
    max_clock_skew_ms: int = 2_000  # between a source's database clock and ours; 0 where both share one
    max_staleness: int = 10  # from when on a source is called silent, and our own list stale
    automated_per_minute: int = 60
    automated_share: float = 0.05  # of the live sessions, within an hour
    automated_floor: int = 10  # sessions an hour, however few live
    ack_retention: int = _DAY_S  # how long receipts know delays, and silent instances are listed
    snapshot_life: int = 600
    snapshot_loads: int = 8  # at one time
    reader_backlog: int = 4 * 1024 * 1024  # bytes that a reader of the feed may be behind before it is cut off
    refill_patience: int = 10  # after a restore, how long the feed waits for the sources' logs

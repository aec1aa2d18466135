"""Limits on failures: per account, so that no password is guessed; per network, so that no list of accounts is tried.

Successes count nowhere. A device that has signed in to this account before counts by itself and not with the account, so that
strangers who fail on purpose cannot lock the owner out. Attempts that run at the same time may overshoot a limit by as many as
there are worker threads.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from services.issuer.errors import Throttled


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries. `account`: a name or "" where none is tried; `network`: see addresses.network_of; `device`: a known one's id."""

    account: str = field(repr=False)
    network: str = field(repr=False)
    device: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """Failures allowed within `window` seconds."""

    per_account: int = 10
    per_network: int = 100
    window: int = 15 * 60


def open_storage(url: str) -> Storage:
    """Where failures are counted: `memory://` for one process, or what the limits library shares, such as `redis://…`."""
    storage = storage_from_string(url)
    if not isinstance(storage, Storage):
        msg = "the storage of the throttle must be a synchronous one"
        raise TypeError(msg)
    return storage


class Throttle:
    """Counts failures in moving windows."""

    def __init__(self, limits: Limits, storage: Storage, *, clock: Callable[[], float] = time.time) -> None:
        self._strategy = MovingWindowRateLimiter(storage)
        self._account = RateLimitItemPerSecond(limits.per_account, limits.window, namespace="account")
        self._device = RateLimitItemPerSecond(limits.per_account, limits.window, namespace="device")
        self._network = RateLimitItemPerSecond(limits.per_network, limits.window, namespace="network")
        self._clock = clock

    def check(self, attempt: Attempt) -> None:
        """Throttled when one of the attempt's limits is used up."""
        used_up = [(item, key) for item, key in self._counters(attempt) if not self._strategy.test(item, key)]
        if used_up:
            free_again = max(self._strategy.get_window_stats(item, key).reset_time for item, key in used_up)
            raise Throttled(max(1, math.ceil(free_again - self._clock())))

    def failed(self, attempt: Attempt) -> None:
        """Count a failure."""
        for item, key in self._counters(attempt):
            self._strategy.hit(item, key)

    def _counters(self, attempt: Attempt) -> list[tuple[RateLimitItem, str]]:
        counters: list[tuple[RateLimitItem, str]] = [(self._network, _key(attempt.network))]
        if attempt.account and attempt.device:
            counters.append((self._device, _key(attempt.account, attempt.device)))
        elif attempt.account:
            counters.append((self._account, _key(attempt.account)))
        return counters


def _key(*parts: str) -> str:
    """Names and addresses do not stand in the storage."""
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

"""The keys that an issuer publishes (RFC 7517 section 5): fetched rarely, kept when a fetch fails, dropped when too old."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from rescind.jose import read_object
from rescind.keys import PublicKey, UnusableKey, from_jwk

Fetch = Callable[[], bytes]
"""Gets the key set's JSON; OSError when it cannot."""


class RemoteKeys:
    """A `KeySource` over a published key set. Times in seconds; `clock` is monotonic.

    The set is fetched again after `refresh` seconds. A `kid` that is not in it is asked for at once, but not before `cool_down`
    has passed since the last fetch, so made-up kids cost nothing. After a failed one the next waits for `retry`, and the old
    keys stay, for `max_age` at most. `changed` is called when the set is another than the one before.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        algorithms: tuple[str, ...],
        clock: Callable[[], float],
        refresh: float = 300.0,
        cool_down: float = 30.0,
        retry: float = 2.0,
        max_age: float = 86_400.0,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._fetch = fetch
        self._algorithms = algorithms
        self._clock = clock
        self._refresh, self._cool_down, self._retry, self._max_age = refresh, cool_down, retry, max_age
        self._changed = changed
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched: float | None = None
        self._data = b""
        self._not_before = clock()
        self.failure: Exception | None = None  # of the last fetch
        self._lock = threading.Lock()

    def __call__(self, kid: str) -> PublicKey | None:
        """Give the key, or None; fetches in this thread when it must."""
        keys = self._usable()
        if kid in keys:
            if self._age() >= self._refresh:
                self._try(wait=False)  # one thread renews; the others go on with what they have
        else:
            self._try(wait=True)
        return self._usable().get(kid)

    def renew(self) -> None:
        """Fetch if it is time; for a background thread, so that requests need not."""
        if self._age() >= self._refresh:
            self._try(wait=True)

    @property
    def loaded(self) -> bool:
        """Whether there are keys that may be used."""
        return bool(self._usable())

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    def _usable(self) -> Mapping[str, PublicKey]:
        return self._keys if self._age() < self._max_age else {}

    def _try(self, *, wait: bool) -> None:
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if self._clock() >= self._not_before:
                self._fetch_now()
        finally:
            self._lock.release()

    def _fetch_now(self) -> None:
        asked = self._clock()
        try:
            data = self._fetch()
            keys = read_key_set(data, self._algorithms)
        except (OSError, ValueError) as error:
            self.failure = error
            self._not_before = self._clock() + self._retry
            return
        self._keys, self._fetched, self._not_before = keys, asked, asked + self._cool_down
        self.failure = None
        before, self._data = self._data, data
        if before and before != data:
            self._changed()


def read_key_set(data: bytes, algorithms: tuple[str, ...]) -> dict[str, PublicKey]:
    """Read a key set; ValueError if it is none or a kid stands twice. Keys that this verifier does not use are left out."""
    listed = read_object(data).get("keys")
    if not isinstance(listed, list):
        raise ValueError("not a key set")  # noqa: TRY004  (one error for every way to be malformed)
    keys: dict[str, PublicKey] = {}
    for jwk in listed:
        try:
            key = from_jwk(jwk if isinstance(jwk, dict) else {}, algorithms)
        except UnusableKey:
            continue
        if key.kid in keys:
            raise ValueError("two keys have one kid")
        keys[key.kid] = key
    return keys

"""Tokens whose signature and claims were good once, so that only what changes is looked at again."""

from __future__ import annotations

import threading

from rescind.claims import Claims
from rescind.errors import Denied


class Remembered:
    """A token that was checked. `until`: NumericDate seconds; `source`: whose freshness counts.

    `judged` pairs the version of the revocation list with what it said: one value, so that no thread can mix two of them.
    """

    __slots__ = ("claims", "judged", "source", "until")

    def __init__(self, claims: Claims, until: int, source: str) -> None:
        self.claims = claims
        self.until = until
        self.source = source
        self.judged: tuple[int, Denied | None] = (-1, None)


class Memory:
    """A bounded map from a token's bytes; the oldest goes first, because it expires first. Threads may share it."""

    def __init__(self, size: int) -> None:
        self.keys = 0  # how often the keys have changed
        self._size = size
        self._tokens: dict[bytes, Remembered] = {}
        self._lock = threading.Lock()
        self.get = self._tokens.get  # the hot path: a bound method of the dict itself

    def __len__(self) -> int:
        return len(self._tokens)

    def put(self, token: bytes, known: Remembered, keys: int) -> None:
        """Remember a token that was checked when `self.keys` was `keys`; in vain if the keys have changed since."""
        with self._lock:
            if keys != self.keys:
                return
            while len(self._tokens) >= self._size:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[token] = known

    def forget(self, token: bytes) -> None:
        """Forget a token; nothing happens if it is not known."""
        with self._lock:
            self._tokens.pop(token, None)

    def clear(self) -> None:
        """Forget all: the keys are others than before."""
        with self._lock:
            self.keys += 1
            self._tokens.clear()

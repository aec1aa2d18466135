"""Passwords: Argon2id, a bounded number at one time, one verification on every path."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from eventlog.errors import Overloaded
from services.issuer.errors import InvalidRequest

_R = TypeVar("_R")

MIN_LENGTH = 8
MAX_LENGTH = 1024
_WAIT_S = 5.0


def owasp_hasher() -> PasswordHasher:
    """19 MiB, two passes, one lane: the least that OWASP's cheat sheet asks for, about 50 ms."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check_new(password: str, *, field: str = "password") -> None:
    """Length is all that counts. InvalidRequest."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH or not _is_text(password):
        raise InvalidRequest({field: f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters."})


class Passwords:
    """Hashes and verifies. `calls` counts Argon2 computations, so that tests can compare paths without a clock."""

    def __init__(self, hasher: PasswordHasher, *, at_once: int, wait_s: float = _WAIT_S) -> None:
        self._hasher = hasher
        self._slots = threading.BoundedSemaphore(at_once)
        self._wait_s = wait_s
        self._nobody = hasher.hash("nobody has this password")
        self.calls = 0

    def hash(self, password: str) -> str:
        """The PHC string to store. Overloaded when too many wait."""
        return self._bounded(lambda: self._hasher.hash(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits. Without a stored hash the answer is no, after the same work. Overloaded."""
        fits = self._bounded(lambda: self._fits(stored or self._nobody, password))
        return fits and stored is not None

    def _fits(self, stored: str, password: str) -> bool:
        text = password[: MAX_LENGTH + 1] if _is_text(password) else ""
        try:
            return self._hasher.verify(stored, text)
        except (Argon2Error, InvalidHashError):
            return False

    def _bounded(self, work: Callable[[], _R]) -> _R:
        if not self._slots.acquire(timeout=self._wait_s):
            raise Overloaded("too many passwords are being checked")
        try:
            self.calls += 1
            return work()
        finally:
            self._slots.release()


def _is_text(password: str) -> bool:
    """JSON can carry half characters (lone surrogates), which no encoding knows."""
    return not any("\ud800" <= char <= "\udfff" for char in password)

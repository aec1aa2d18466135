"""A verifier's copy of the revocation list: takes frames, judges tokens, keeps the list of an ended epoch beside the new one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from rescind.changes import decode_change
from rescind.claims import Claims
from rescind.errors import Denial, Denied, InvalidFeed
from rescind.frames import Delta, Snapshot
from rescind.position import Position
from rescind.revocations import RevocationList

_MILD = {Denial.TOKEN_OUTDATED: 2, Denial.STEP_UP_REQUIRED: 1}


class OutOfStep(Exception):
    """A frame does not follow on what was applied: ask again."""


@dataclass(frozen=True, slots=True)
class _Kept:
    of: RevocationList
    until: float


class LocalList:
    """One thread writes; `judge` may be called from any. `clock` and `keep_ms` are milliseconds.

    `keep_ms` is the longest life of an access token with leeway: after it, nothing that an ended epoch refused can come back.
    `version` goes up with every change of what `judge` may say: read it first, then a judgement is good for as long as it stays.
    """

    def __init__(self, *, keep_ms: float, clock: Callable[[], float]) -> None:
        self.version = 0
        self.mark = ""
        self._keep_ms = keep_ms
        self._clock = clock
        self._current: RevocationList | None = None
        self._kept: tuple[_Kept, ...] = ()

    @property
    def position(self) -> Position | None:
        """What was applied; None before the first snapshot."""
        return None if self._current is None else self._current.position

    def judge(self, claims: Claims) -> Denied | None:
        """Give the strictest verdict of the list and of those kept from ended epochs."""
        if self._current is None:
            return Denied(Denial.NOT_READY, "the revocation list is not loaded yet")
        denied = self._current.judge(claims)
        if self._kept:
            found = [denied, *(kept.of.judge(claims) for kept in self._kept)]
            return min((one for one in found if one), key=lambda one: _MILD.get(one.reason, 0), default=None)
        return denied

    def load(self, frame: Snapshot, data: bytes) -> None:
        """Take a snapshot. InvalidFeed if it is not what the frame announced, OutOfStep if it would lead back."""
        if hashlib.sha256(data).hexdigest() != frame.digest:
            raise InvalidFeed("a snapshot has another digest than announced")
        loaded = RevocationList.load(data)
        if loaded.position != frame.position:
            raise InvalidFeed("a snapshot stands at another position than announced")
        current = self._current
        if current is not None and loaded.position < current.position:
            raise OutOfStep("a snapshot is older than what was applied")
        if current is not None and loaded.position.epoch > current.position.epoch:
            self._kept = (*self._kept, _Kept(current, self._clock() + self._keep_ms))
        self._current, self.mark = loaded, frame.mark
        self.version += 1

    def apply(self, frame: Delta) -> bool:
        """Take a delta; False for a duplicate. OutOfStep for a gap, InvalidFeed for nonsense: nothing is applied then."""
        current = self._current
        if current is None or frame.origin > current.position or frame.position.epoch != current.position.epoch:
            raise OutOfStep("a delta does not follow on what was applied")
        if frame.position <= current.position:
            return False
        changes = [decode_change(change) for change in frame.changes]
        current.apply(frame.position, changes)
        lifted = [change.target for change in changes if change.verdict is None]
        if lifted:
            for kept in self._kept:
                kept.of.clear(lifted)
        self.mark = frame.mark
        self.version += bool(changes)
        return True

    def forget(self) -> None:
        """Drop the lists of ended epochs whose time has passed."""
        now = self._clock()
        if any(kept.until <= now for kept in self._kept):
            self._kept = tuple(kept for kept in self._kept if kept.until > now)
            self.version += 1

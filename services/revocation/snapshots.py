"""Snapshots on offer: made by the projector when somebody needs one, immutable, kept for a while after they were last offered."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from rescind.frames import Snapshot
from rescind.position import Position
from rescind.revocations import RevocationList
from services.revocation.errors import Unsettled

_FACT_BYTES = 100  # about what a fact weighs in a delta
_SMALL = 256 * 1024


@dataclass(slots=True)
class Offered:
    """One snapshot. `until` is this process's clock in milliseconds."""

    position: Position
    data: bytes = field(repr=False)
    mark: str
    until: float
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256(self.data).hexdigest()

    def frame(self) -> Snapshot:
        """How the feed announces it."""
        return Snapshot(f"/v1/snapshots/{self.position}", self.position, self.digest, self.mark)


class Snapshots:
    """Safe to use from any thread. `life_ms`: how long one is kept; `wake` makes the projector look here."""

    def __init__(self, *, life_ms: float, clock: Callable[[], float], wake: Callable[[], None]) -> None:
        self._life_ms = life_ms
        self._clock = clock
        self._wake = wake
        self._made = threading.Condition()
        self._offered: dict[Position, Offered] = {}
        self._head = Position(0, 0)
        self._wanted = False

    def offer(self, timeout: float = 5.0) -> Offered:
        """Give one that not too many deltas follow. Unsettled when none is made within `timeout` seconds."""
        with self._made:
            if self._recent() is None:
                self._wanted = True
                self._wake()
            if not self._made.wait_for(lambda: self._recent() is not None, timeout):
                raise Unsettled("no snapshot is there yet")
            found = self._recent()
            assert found is not None  # noqa: S101  (the wait has just seen it, under the same lock)
            found.until = self._clock() + self._life_ms
            return found

    def get(self, position: Position) -> Offered | None:
        """One that was offered and is still kept."""
        with self._made:
            return self._offered.get(position)

    def follow(self, listed: RevocationList, mark: str) -> None:
        """Called by the projector, whose list nobody changes meanwhile: make one if somebody waits, drop what is over."""
        with self._made:
            self._head = listed.position
            wanted = self._wanted and self._recent() is None
            self._wanted = False
        made = Offered(listed.position, listed.snapshot(), mark, self._clock() + self._life_ms) if wanted else None
        with self._made:
            now = self._clock()
            latest = max(self._offered, default=None)
            self._offered = {at: each for at, each in self._offered.items() if each.until > now or at == latest}
            if made:
                self._offered[made.position] = made
            self._made.notify_all()

    def restart(self) -> None:
        """Forget all: another epoch begins."""
        with self._made:
            self._offered.clear()

    def oldest(self) -> Position | None:
        """Deltas are kept back to here."""
        with self._made:
            return min(self._offered, default=None)

    def _recent(self) -> Offered | None:
        latest = max(self._offered, default=None)
        if latest is None or latest.epoch != self._head.epoch:
            return None
        found = self._offered[latest]
        behind = (self._head.seq - latest.seq) * _FACT_BYTES
        return found if behind <= max(_SMALL, len(found.data)) else None

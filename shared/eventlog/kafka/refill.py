"""The source's own log, for what a topic does not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from eventlog.port import Recorded
from rescind.position import Position


class Refill(Protocol):
    """Reads the log that a topic is filled from; over HTTP `/v1/log/records`."""

    def records(self, after: Position, *, limit: int) -> Sequence[Recorded]:
        """Numbered records after a position, in position order, all types and keys; StoreUnavailable."""
        ...

"""What a Kafka consumer has missed, from the owner's log (`eventlog.kafka.feed.Refill`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eventlog.port import Recorded
from rescind.position import Position
from services.roads.peer import Peer
from services.roads.rows import fetch_rows

SESSIONS, REVOCATIONS = "/v1/log/records", "/v1/revocation-log"
"""Where the owners of the topics serve their logs; both want the scope log:replicate."""


@dataclass(frozen=True, slots=True)
class LogRefill:
    """`path`: SESSIONS at an issuer, REVOCATIONS at the revocation service."""

    peer: Peer
    path: str

    def records(self, after: Position, limit: int) -> Sequence[Recorded]:
        """The rows after a position, without a gap, byte for byte as Kafka has them; empty at the log's end. NoAnswer."""
        return fetch_rows(self.peer, self.path, after, limit=limit)

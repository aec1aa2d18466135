"""A question to the log."""

from __future__ import annotations

from dataclasses import dataclass

from rescind.position import BEGINNING, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Numbered records after a position that fit every filter given, in position order, `limit` at most."""

    after: Position = BEGINNING
    limit: int = 100
    subject: str = ""  # the log's subject id
    session: str = ""  # sid
    type: str = ""  # wire name
    since: int | None = None  # ms, inclusive, by the event's own time
    until: int | None = None  # ms, exclusive

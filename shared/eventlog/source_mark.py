"""A watermark: up to where, and up to when, a source has told everything. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rescind.position import Position


@dataclass(frozen=True, slots=True)
class SourceMark:
    """Everything this source committed before `time` (ms, its database's clock; 0: not known) stands up to `position`.

    `applied`: up to where the source has applied the revocation log, its answers being among what it committed.
    `live_sessions`: how many sessions it has.
    """

    position: Position
    time: int
    applied: Position
    live_sessions: int

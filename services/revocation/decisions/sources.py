"""Whose tokens are judged, and up to when what their logs say is known here. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from eventlog.source_mark import SourceMark
from rescind.position import BEGINNING, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One issuer. `own`: its log is followed; another issuer sends nothing.

    `position`, `time`, `applied`, `live_sessions` are from its latest watermark, `time` being the largest that was believed.
    `last_fact`: id of the last fact that came before it ("" for none): the watermark counts once that fact is in the list.
    `ahead`: its clock ran ahead of ours by more than the skew, so that its time was not believed.
    `hash`: of its log's chain at `position`, empty where it did not say.
    """

    iss: str
    own: bool
    client_id: str = ""
    max_session_life: int = 0  # seconds; of another issuer
    active: bool = True
    position: Position = BEGINNING
    time: int = 0
    applied: Position = BEGINNING
    live_sessions: int = 0
    last_fact: str = ""
    ahead: bool = False
    hash: bytes = b""


def marked(source: Source, mark: SourceMark, *, now: int, max_skew: int, last_fact: str, hash_: bytes = b"") -> Source:
    """Take a watermark. A time in our future proves nothing: a clock that runs ahead would make old knowledge look fresh.

    What it has applied may go back: then its database was put back to an older state.
    """
    ahead = mark.time > now + max_skew
    return replace(
        source,
        position=mark.position,
        time=source.time if ahead else max(source.time, mark.time),
        applied=mark.applied,
        live_sessions=mark.live_sessions,
        last_fact=last_fact or source.last_fact,
        ahead=ahead,
        hash=hash_,
    )


def marked_by_topic(source: Source, mark: SourceMark, *, now: int, max_skew: int, last_fact: str) -> Source:
    """Take a watermark of the other road, where it says more than ours: `position` and `hash` are the express road's own."""
    taken = replace(source, last_fact=last_fact or source.last_fact)
    if not source.time < mark.time <= now + max_skew:
        return taken
    return replace(taken, time=mark.time, applied=mark.applied, live_sessions=mark.live_sessions, ahead=False)

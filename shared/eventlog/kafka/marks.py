"""One watermark from those of many partitions. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from eventlog.source_mark import SourceMark


def later(known: SourceMark | None, mark: SourceMark) -> SourceMark:
    """What two watermarks of one partition say together: what was true of an earlier one stays true."""
    if known is None:
        return mark
    latest = mark if mark.position >= known.position else known
    return SourceMark(latest.position, max(known.time, mark.time), max(known.applied, mark.applied), latest.live_sessions)


def least(marks: Sequence[SourceMark | None]) -> SourceMark | None:
    """What is true of all partitions; None as long as one has none."""
    known = [mark for mark in marks if mark is not None]
    if len(known) < len(marks) or not known:
        return None
    oldest = min(known, key=lambda mark: mark.position)
    return SourceMark(
        oldest.position, min(mark.time for mark in known), min(mark.applied for mark in known), oldest.live_sessions
    )

"""Checks a log against its own chain and against checkpoints that were kept elsewhere. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from eventlog.chain import GENESIS, link
from eventlog.checkpoints import LogCheckpoint
from eventlog.port import Recorded
from rescind.position import BEGINNING, Position


class Tampering(StrEnum):
    """What was found."""

    CHANGED = "changed"  # the row does not give its hash
    REMOVED = "removed"  # the row is missing, later ones are there
    REORDERED = "reordered"  # the row that belongs here stands later, or one stands here again
    TRUNCATED = "truncated"  # the row and all later ones are missing
    REWRITTEN = "rewritten"  # the chain is sound, but it is not the one that was signed
    FORGED = "forged"  # a checkpoint has no valid signature: nothing can be said with it


@dataclass(frozen=True, slots=True)
class Verdict:
    """`tampering` is None for a sound log; else `position` names the first bad row (for FORGED, the checkpoint).

    The first `checked` rows are chained soundly, and `proven` is the last checkpoint that agreed. REWRITTEN names the row
    after that one: the change is there or later, before the checkpoint that disagreed.
    """

    checked: int
    proven: Position = BEGINNING
    tampering: Tampering | None = None
    position: Position | None = None


def verify_log(
    records: Iterable[Recorded],
    checkpoints: Sequence[LogCheckpoint],
    check: Callable[[bytes, bytes], bool],
) -> Verdict:
    """Go through all numbered records of one log in stored order.

    `checkpoints` are this log's, in any order; `check(signed bytes, signature)` verifies a signature.
    """
    for each in checkpoints:
        if not check(each.signed_bytes(), each.signature):
            return Verdict(0, tampering=Tampering.FORGED, position=each.position)
    witnesses = _Witnesses(checkpoints)
    last, hash_, checked = Position(1, 0), GENESIS, 0
    rows = iter(records)
    for record in rows:
        position = record.position or BEGINNING
        follows = position in (_next(last), Position(position.epoch, 1)) and position > last
        if follows and (denied := witnesses.up_to(last, hash_, before=position, missing=Tampering.REMOVED)):
            return Verdict(checked, witnesses.proven, *denied)
        if not follows or _link(hash_, record) != record.hash:
            found = _classify(record, rows, last, hash_, follows=follows)
            return Verdict(checked, witnesses.proven, *found)
        last, hash_, checked = position, record.hash, checked + 1
    denied = witnesses.up_to(last, hash_, before=None, missing=Tampering.TRUNCATED)
    return Verdict(checked, witnesses.proven, *(denied or (None, None)))


class _Witnesses:
    """The checkpoints still ahead."""

    def __init__(self, checkpoints: Sequence[LogCheckpoint]) -> None:
        self._ahead = deque(sorted(checkpoints, key=lambda each: each.position))
        self.proven = BEGINNING

    def up_to(
        self,
        last: Position,
        hash_: bytes,
        *,
        before: Position | None,
        missing: Tampering,
    ) -> tuple[Tampering, Position] | None:
        """Ask the checkpoints before the next row (None: all that are left), the chain being at `last` with `hash_`."""
        while self._ahead and (before is None or self._ahead[0].position < before):
            witness = self._ahead.popleft()
            begins_epoch = witness.position.seq == 0 and witness.position > last  # signed when an epoch had no rows yet
            if witness.position != last and not begins_epoch:
                return missing, _next(last)
            if witness.hash != hash_:
                return Tampering.REWRITTEN, _next(self.proven) if self.proven > BEGINNING else Position(1, 1)
            self.proven = witness.position
        return None


def _classify(
    record: Recorded,
    rest: Iterable[Recorded],
    last: Position,
    hash_: bytes,
    *,
    follows: bool,
) -> tuple[Tampering, Position]:
    position = record.position or BEGINNING
    expected = position if follows else _next(last)
    if position <= last or any(_link(hash_, replace(each, position=expected)) == each.hash for each in rest):
        return Tampering.REORDERED, expected
    return (Tampering.CHANGED if follows else Tampering.REMOVED), expected


def _link(previous: bytes, record: Recorded) -> bytes | None:
    """None for a row whose fields are not even of their types any more, which SQLite keeps."""
    try:
        return link(previous, record)
    except (AttributeError, TypeError, ValueError):
        return None


def _next(position: Position) -> Position:
    return Position(position.epoch, position.seq + 1)

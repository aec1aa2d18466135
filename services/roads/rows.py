"""Rows of another service's log, read over HTTP and held against the log's own chain: what is not complete is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from itertools import pairwise

from eventlog.chain import link
from eventlog.port import Recorded
from eventlog.row_json import read_row
from rescind.position import Position
from services.roads.peer import Peer

MOST = 1000
"""Rows that one answer may have."""


def fetch_rows(peer: Peer, path: str, after: Position, *, limit: int, wait_s: float = 0.0) -> tuple[Recorded, ...]:
    """The rows that stand after a position, without a gap; NoAnswer for anything else."""
    query = {"after": str(after), "limit": str(min(limit, MOST))} | ({"wait": str(wait_s)} if wait_s else {})
    answer = peer.get(path, query, wait_s=wait_s)
    try:
        rows = _rows(answer.expect(HTTPStatus.OK))
    except ValueError:
        raise answer.unreadable("rows that cannot be read") from None
    if rows and not (follows(after, rows[0].position) and all(_linked(before, row) for before, row in pairwise(rows))):
        raise answer.unreadable("rows that do not follow one on another")
    return rows


def follows(before: Position, position: Position | None) -> bool:
    """Whether nothing can stand between the two: `SEQ` is gapless within an epoch and begins with 1."""
    if position is None:
        return False
    if position.epoch == before.epoch:
        return position.seq == before.seq + 1
    return position.epoch > before.epoch and position.seq == 1


def _rows(said: Mapping[str, object]) -> tuple[Recorded, ...]:
    listed = said.get("records")
    if not isinstance(listed, list):
        raise ValueError("no rows")  # noqa: TRY004  (one error for every way to be malformed)
    return tuple(read_row(each) for each in listed)


def _linked(before: Recorded, row: Recorded) -> bool:
    """Two rows that stand side by side in a log: a missing or changed one breaks the chain, across epochs, too."""
    return before.position is not None and follows(before.position, row.position) and link(before.hash, row) == row.hash

"""A place in a log or in the feed: `EPOCH.SEQ`, `SEQ` gapless within an epoch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_TEXT = re.compile(r"(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Ordered by epoch, then by sequence number. `Position(epoch, 0)` is before the first entry of its epoch."""

    epoch: int
    seq: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `EPOCH.SEQ`; ValueError for anything else."""
        found = _TEXT.fullmatch(text)
        if not found:
            msg = "a position is written EPOCH.SEQ, for example 1.42"
            raise ValueError(msg)
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"


BEGINNING = Position(0, 0)
"""Before every entry of every log: a log's first epoch is 1."""

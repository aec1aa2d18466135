"""Which history this database has, and what happens when somebody proves that it was put back to an older state.

A verifier proves it with a valid mark of a position that is not in our chain; a source by going on from beyond what we have; the
projector when the log behind it is no longer the one that it folded. Then the feed answers 503, the epoch rises, the sources send
again what is missing, and the feed serves once their logs are in (or the patience is over: the ages then say what is missing).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from enum import Enum

from eventlog.sql.engine import read_connection
from eventlog.sql.log import SqlLog
from rescind.position import BEGINNING, Position
from services.revocation.decisions.marks import Marks
from services.revocation.decisions.standing import Standing
from services.revocation.resaying import say_again
from services.revocation.sql.clock import database_now

logger = logging.getLogger(__name__)

_REMEMBERED = 10_000


class Origin(Enum):
    """Where a position that somebody presents is from."""

    OURS = "ours"
    OLDER = "older"  # from an epoch that has ended: what it proves is dealt with
    UNPROVEN = "unproven"  # its mark is not ours, or none
    OTHER = "other"  # a valid mark of another history


class History:
    """Safe to use from any thread. `patience_ms` and `clock` are this process's milliseconds, `skew` the sources'."""

    def __init__(
        self,
        log: SqlLog,
        marks: Marks,
        *,
        patience_ms: int,
        skew: int,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._new_id = new_id
        self._log = log
        self._marks = marks
        self._patience_ms = patience_ms
        self._skew = skew
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[Position, str], None] = {}
        self._begun = BEGINNING
        self._said = False
        self._since = 0
        self._began = 0.0
        self.restoring = False

    def vouch(self, position: Position, mark: str) -> None:
        """Remember a mark that was just made: it will be presented soon, by every verifier."""
        self._remember(position, mark)

    def remembers(self, position: Position, mark: str) -> bool:
        """Whether this very mark was examined before and is ours: needs no database."""
        return (position, mark) in self._seen

    def examine(self, position: Position, mark: str) -> Origin:
        """Say where a presented position is from. Reads the database; EventLogError."""
        found = self._examine(position, mark)
        if found is Origin.OURS:
            self._remember(position, mark)
        return found

    def lost(self, *, above: int, why: str, since: int | None = None) -> None:
        """Our database was put back to an older state: stop serving, and begin an epoch above `above` and our own.

        `since`: the last moment (ms) that the old state knows of, if that is known. EventLogError: nothing is decided, try again.
        """
        with self._lock:
            if not self.restoring:
                self._begin(above, why)
            if since is not None and not self._said:
                say_again(self._log, since, self._begun, self._new_id)
                self._said = True

    def settle(self, standing: Standing) -> None:
        """Serve again once the list is in the new epoch and every source has sent all that it had when this began."""
        if not self.restoring or standing.head.epoch < self._begun.epoch:
            return
        refilled = all(time + self._skew >= self._since for time in standing.sources.values())
        if refilled or self._clock() - self._began > self._patience_ms:
            self.restoring = False

    def _begin(self, above: int, why: str) -> None:
        logger.warning("this database was put back to an older state", extra={"fields": {"witness": why}})
        self.restoring = True  # before the epoch rises: nobody may be served in between
        try:
            with read_connection(self._log.engine) as connection:
                self._since = database_now(connection)
            self._begun = self._log.raise_epoch(above=above)
        except BaseException:
            self.restoring = False
            raise
        self._said = False
        self._began = self._clock()
        self._seen.clear()

    def _examine(self, position: Position, mark: str) -> Origin:
        hash_ = self._marks.read(position, mark)
        if hash_ is None:
            return Origin.UNPROVEN
        if hash_ == self._log.hash_at(position):
            return Origin.OURS
        return Origin.OLDER if position.epoch < self._log.head()[0].epoch else Origin.OTHER

    def _remember(self, position: Position, mark: str) -> None:
        with self._lock:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[position, mark] = None

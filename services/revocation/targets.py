"""What the records of the list's log are about, for their keys in its topic."""

from __future__ import annotations

from eventlog.port import Recorded
from eventlog.sql.log import SqlLog
from rescind.events.revocation import RevocationLifted
from services.revocation.decisions.facts import UnreadableFact, fact_of, target_of


class Targets:
    """Every record of a revocation has the same one: a lift, which names none, that of the revocation. StoreUnavailable."""

    def __init__(self, log: SqlLog) -> None:
        self._log = log

    def __call__(self, recorded: Recorded) -> str:
        """`target_of` the record; "" where it has none, or where a newer version wrote it, which knows."""
        try:
            fact = fact_of(recorded)
            if not isinstance(fact, RevocationLifted):
                return target_of(fact)
            told = map(target_of, map(fact_of, self._log.read_stream(recorded.stream)))
            return next(filter(None, told), "")
        except UnreadableFact:
            return ""

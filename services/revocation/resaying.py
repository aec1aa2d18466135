"""After a restore: what was said in this database since then is said again, in the new epoch.

Whoever followed the lost history stands beyond those facts by number, and would never read them. To say one twice does no harm.
"""

from __future__ import annotations

from collections.abc import Callable

from eventlog.query import LogQuery
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from rescind.events.revocation import Fact, RevocationLifted, RevocationMade
from rescind.position import BEGINNING, Position
from services.revocation.decisions.facts import fact_of
from services.revocation.intake import entries
from services.revocation.sql.clock import database_now

_LIMIT = 500


def say_again(log: SqlLog, since: int, upto: Position, new_id: Callable[[], str]) -> int:
    """Append anew what arrived at or after `since` (ms) and stands before `upto`; how many facts that were."""
    said, after = 0, BEGINNING
    while True:
        records = log.search(LogQuery(after=after, limit=_LIMIT, since=since))
        found: list[tuple[Fact, str]] = []
        for each in records:
            after = each.position or after
            fact = fact_of(each)
            if after < upto and isinstance(fact, RevocationMade | RevocationLifted):
                found.append((fact, new_id()))
        if found:
            with write_connection(log.engine) as connection:
                now = database_now(connection)
                log.insert(connection, entries(log, connection, found, arrived=now))
            log.written()
            said += len(found)
        if len(records) < _LIMIT or after >= upto:
            return said

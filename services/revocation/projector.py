"""The loop that turns the fact log into the list, its deltas, and the proof of how complete it is.

The list lives in memory and is rebuilt from its log at every start. One step reads first the sources' watermarks, then the facts:
what stood behind a watermark then, is in what is read after it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from eventlog.backoff import backoff
from eventlog.chain import GENESIS, link
from eventlog.errors import StoreUnavailable, UnknownOutcome
from eventlog.port import Recorded
from eventlog.sql.engine import read_connection
from eventlog.sql.log import SqlLog
from rescind.changes import encode_change
from rescind.events.revocation import RevocationMade
from rescind.frames import Delta
from rescind.position import BEGINNING, Position
from rescind.revocations import Change, RevocationList
from rescind.vocabulary import Target
from services.revocation.decisions.facts import UnreadableFact, fact_of
from services.revocation.decisions.folding import Folded, fold
from services.revocation.decisions.marks import Marks
from services.revocation.decisions.sources import Source
from services.revocation.decisions.standing import Standing
from services.revocation.feed import Feed
from services.revocation.numbered import Numbered
from services.revocation.restoring import History
from services.revocation.snapshots import Snapshots
from services.revocation.sql.clock import database_now
from services.revocation.sql.source_store import read_sources
from services.revocation.sql.tables import RevocationTables

logger = logging.getLogger(__name__)

_LIMIT = 2000
_POLL_S = 0.05  # how late what another process wrote is noticed
_COALESCE_S = 0.02  # between two deltas


@dataclass(slots=True)
class _View:
    """What was folded so far.

    `counted`: the times of the watermarks whose facts are in it, by `iss`; `pending`: watermarks whose facts are not yet.
    """

    state: Folded = field(default_factory=Folded)
    listed: RevocationList = field(default_factory=RevocationList)
    position: Position = BEGINNING
    hash: bytes = b""
    counted: dict[str, int] = field(default_factory=dict)
    pending: dict[str, Source] = field(default_factory=dict)


class Projector:
    """One thread runs it; `standing`, `listed` and `trouble` are for any to read.

    `skew`: how far a source's clock may be off (ms). `tend` is called after each complete step with the state and the
    sources, for the housekeeping that depends on both.
    """

    def __init__(
        self,
        log: SqlLog,
        tables: RevocationTables,
        *,
        marks: Marks,
        feed: Feed,
        snapshots: Snapshots,
        history: History,
        numbered: Numbered,
        skew: int,
        clock: Callable[[], float],
        tend: Callable[[Folded, Sequence[Source], int], None],
    ) -> None:
        self._log = log
        self._tables = tables
        self._marks = marks
        self._feed = feed
        self._snapshots = snapshots
        self._history = history
        self._numbered = numbered
        self._skew = skew
        self._clock = clock
        self._tend = tend
        self._view = _View()
        self._live = False
        self._doubtful = False
        self.trouble = ""

    @property
    def standing(self) -> Standing | None:
        """The head and the ages behind it; None before everything was read for the first time."""
        return self._feed.standing

    @property
    def listed(self) -> RevocationList:
        """The list itself. Only `judge` may be called from another thread."""
        return self._view.listed

    def run(self, stop: threading.Event) -> None:
        """Follow the log until stopped. A fact that cannot be read halts it for good: nothing is ever skipped."""
        failures = 0
        while not stop.is_set():
            seen = self._log.numbered.count
            try:
                more = self.step()
            except (StoreUnavailable, UnknownOutcome) as error:
                failures += 1
                self._doubtful = True
                self.trouble = f"waits: {error}"
                stop.wait(backoff(failures))
            except Exception as error:
                why = str(error) if isinstance(error, UnreadableFact) else type(error).__name__
                self.trouble = f"halted behind {self._view.position}: {why}"
                raise
            else:
                failures, self.trouble = 0, ""
                if not more:
                    stop.wait(_COALESCE_S)
                    self._log.numbered.wait(seen, _POLL_S)

    def step(self) -> bool:
        """Read once, fold, publish; whether there is more to read at once."""
        if self._doubtful:
            self._same_history()
        taken = self._clock()
        now, sources, in_log = self._read_sources()
        self._expect(sources, in_log)
        batch, watermark = self._log.read_marked(self._view.position, limit=_LIMIT)
        if not self._follows(batch.records, watermark.position):
            self._same_history(surely_not=True)
            return True
        more = len(batch.records) == _LIMIT
        self._take(batch.records, None if more else watermark.position)
        if more:
            return True
        self._count(sources, in_log)
        self._live = True
        own = [each.iss for each in sources if each.own and each.active]
        times = {iss: self._view.counted.get(iss, 0) - self._skew for iss in own}
        self._feed.standing = Standing(self._view.position, taken, now, watermark.time, times)
        for record in batch.records:
            self._numbered.saw(record.event.id, record.position or BEGINNING)
        self._snapshots.follow(self._view.listed, self._mark())
        self._history.settle(self._feed.standing)
        self._tend(self._view.state, sources, now)
        return False

    def _take(self, records: Sequence[Recorded], end: Position | None) -> None:
        """Fold records, and publish what that changed; `end` is where they end, if it is known that no more follow."""
        view = self._view
        changes: dict[Target, Change] = {}
        awaited = False
        for recorded in records:
            position = recorded.position or BEGINNING
            fact = fact_of(recorded)
            changes |= {change.target: change for change in fold(view.state, position, fact)}
            awaited |= isinstance(fact, RevocationMade) and fact.awaited
            view.hash = recorded.hash
            for iss in [iss for iss, source in view.pending.items() if source.last_fact == recorded.event.id]:
                view.counted[iss] = view.pending.pop(iss).time
        position = end or (records[-1].position if records else None) or view.position
        if position != view.position:
            self._publish(position, list(changes.values()), awaited=awaited)

    def _publish(self, position: Position, changes: Sequence[Change], *, awaited: bool) -> None:
        view, origin = self._view, self._view.position
        view.listed.apply(position, changes)
        view.position = position
        if not view.hash or not position.seq:
            view.hash = self._log.hash_at(position) or view.hash
        self._history.vouch(position, self._mark())
        if self._live and position.epoch == origin.epoch:
            encoded = tuple(encode_change(change) for change in changes)
            self._feed.publish(Delta(origin, position, encoded, self._mark(), awaited))
        else:
            self._feed.restart(position)

    def _expect(self, sources: Sequence[Source], in_log: frozenset[str]) -> None:
        """Remember the watermarks whose facts have no position yet: they count as soon as the last of those is folded."""
        for each in sources:
            if each.last_fact and each.last_fact not in in_log:
                self._view.pending.setdefault(each.iss, each)

    def _count(self, sources: Sequence[Source], in_log: frozenset[str]) -> None:
        """Believe the watermarks whose facts had positions before the log was read to its end."""
        for each in sources:
            if not each.last_fact or each.last_fact in in_log:
                self._view.counted[each.iss] = each.time
                self._view.pending.pop(each.iss, None)

    def _read_sources(self) -> tuple[int, Sequence[Source], frozenset[str]]:
        events = self._tables.log.events.c
        with read_connection(self._log.engine) as connection:
            now = database_now(connection)
            sources = read_sources(connection, self._tables.sources)
            ids = [each.last_fact for each in sources if each.last_fact]
            numbered = select(events.id).where(events.id.in_(ids), events.seq.is_not(None))
            return now, sources, frozenset(connection.execute(numbered).scalars()) if ids else frozenset()

    def _follows(self, records: Sequence[Recorded], end: Position) -> bool:
        """Whether what was read goes on where we stand: no step back, and the chain unbroken."""
        if end < self._view.position:
            return False
        return not records or link(self._view.hash or GENESIS, records[0]) == records[0].hash

    def _same_history(self, *, surely_not: bool = False) -> None:
        """See that the log is still the one that was folded; begin anew where it is an older copy. UnreadableFact: broken."""
        position = self._view.position
        if position != BEGINNING and self._log.hash_at(position) != self._view.hash:
            self._history.lost(above=position.epoch, why="projector")
            self._view, self._live, self._feed.standing = _View(), False, None
        elif surely_not:
            msg = f"the record behind {position} does not follow on it in the chain"
            raise UnreadableFact(msg)
        self._doubtful = False

    def _mark(self) -> str:
        return self._marks.make(self._view.position, self._view.hash)

"""The revocation service put together: every part gets what it needs, and nothing reaches for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import Engine

from eventlog.backoff import backoff
from eventlog.errors import StoreUnavailable
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.freshness import boot_clock
from services.revocation.acks import Acks
from services.revocation.decisions.caps import Caps
from services.revocation.decisions.marks import Marks
from services.revocation.decisions.receipts import Receipt, receipt
from services.revocation.decisions.standing import Standing
from services.revocation.decisions.views import RevocationView
from services.revocation.errors import Unsettled
from services.revocation.feed import Feed
from services.revocation.intake import Intake
from services.revocation.making import Revocations
from services.revocation.numbered import Numbered
from services.revocation.projector import Projector
from services.revocation.restoring import History
from services.revocation.settings import RevocationSettings
from services.revocation.snapshots import Snapshots
from services.revocation.sourcing import Sources
from services.revocation.sql.ack_store import AckStore
from services.revocation.sql.tables import RevocationTables, revocation_tables
from services.revocation.tending import Tending
from services.revocation.verifiers import Verifiers
from services.runtime import Loop, Measure

_FORGET_EVERY_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One process's part of the service. `clock` is its own, in milliseconds, counting suspended time."""

    settings: RevocationSettings
    log: SqlLog
    tables: RevocationTables
    clock: Callable[[], float]
    sources: Sources
    verifiers: Verifiers
    revocations: Revocations
    intake: Intake
    history: History
    projector: Projector
    feed: Feed
    snapshots: Snapshots
    acks: Acks
    ack_store: AckStore

    def create(self) -> None:
        """Make the tables that are missing. Any number of processes may do so."""
        self.log.create()
        self.verifiers.load()

    @property
    def loops(self) -> Sequence[Loop]:
        """What runs beside the endpoints."""
        return (
            Loop("revocation sequencer", Sequencer(self.log).run),
            Loop("revocation projector", self.projector.run),
            Loop("revocation acks", self.acks.run),
            Loop("revocation verifiers", self.verifiers.run),
            Loop("revocation forgetting", self._forget),
        )

    def serving(self) -> Standing:
        """The pair of head and ages that is answered now. Unsettled while there is none that could be vouched for."""
        standing = self.projector.standing
        if standing is None or self.history.restoring:
            raise Unsettled("not now")
        return standing

    def judge(self, claims: Claims) -> Denied | None:
        """The live list's verdict, for our own endpoints; a list that is not followed any more refuses all."""
        standing = self.projector.standing
        if standing is None:
            return Denied(Denial.NOT_READY, "the revocation list is not loaded yet")
        if standing.ages(self.clock()).own > self.settings.max_staleness * 1000:
            return Denied(Denial.STALE, "the revocation list is not followed any more")
        return self.projector.listed.judge(claims)

    def receipt(self, found: RevocationView) -> Receipt:
        """Who has applied it. EventLogError."""
        position = found.position or self.log.head()[0]
        now, instances = self.ack_store.read(position)
        known_from = now - self.settings.ack_retention * 1000
        return receipt(instances, position=found.position, arrived=found.arrived, now=now, known_from=known_from)

    def ready(self) -> Mapping[str, str]:
        """What is missing, by name, each with a sentence."""
        missing = {f"facts of {iss}": f"{why}. Update this service." for iss, why in self.intake.trouble.items()}
        if self.projector.trouble:
            missing["projector"] = f"The list is not followed: {self.projector.trouble}."
        if self.history.restoring:
            missing["history"] = "The database was put back to an older state; what is missing is sent again."
        standing = self.projector.standing
        if standing is None:
            return {"list": "The revocation list is being read.", **missing}
        limit = self.settings.max_staleness * 1000
        ages = standing.ages(self.clock())
        if ages.own > limit:
            missing["numbering"] = f"The list's own log has not been numbered or read for {ages.own // 1000} s."
        silent = {iss: standing.sources[iss] for iss, age in ages.sources.items() if age > limit}
        return missing | {f"source {iss}": _silence(time, ages.sources[iss]) for iss, time in silent.items()}

    def measures(self) -> Sequence[Measure]:
        """Gauges."""
        standing = self.projector.standing
        found = [Measure("feed_readers", "Open streams of the feed.", self.feed.readers)]
        if standing is not None:
            ages = standing.ages(self.clock())
            found.append(Measure("list_entries", "Targets in the revocation list.", len(self.projector.listed)))
            found.append(Measure("list_age_seconds", "How old the list is by its own numbering.", ages.own / 1000))
            found.extend(
                Measure("source_age_seconds", "How old what is known of an issuer's log is.", age / 1000, {"iss": iss})
                for iss, age in ages.sources.items()
            )
        return found

    def _forget(self, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            try:
                self.ack_store.forget(older_ms=self.settings.ack_retention * 1000)
            except StoreUnavailable:
                failures += 1
                stop.wait(backoff(failures))
            else:
                failures = 0
                stop.wait(_FORGET_EVERY_S)


def _silence(time: int, age: int) -> str:
    since = f"for {age // 1000} s" if time > 0 else "yet"
    return f"No watermark of its log that can be believed came {since}: its relay is down, or its clock is ahead."


def new_id() -> str:
    """A random id of 128 bits."""
    return uuid4().hex


def open_revocation(
    engine: Engine,
    settings: RevocationSettings,
    mark_key: bytes,
    *,
    clock: Callable[[], float] = boot_clock,
) -> Revocation:
    """Put the service together over an engine of its own. `mark_key`: 32 secret bytes that are kept outside the database."""
    tables = revocation_tables()
    log = SqlLog(engine, tables.log, name="revocation")
    marks = Marks(mark_key)
    skew = settings.max_clock_skew_ms
    history = History(log, marks, patience_ms=settings.refill_patience * 1000, skew=skew, clock=clock, new_id=new_id)
    verifiers = Verifiers(log, tables)
    snapshots = Snapshots(life_ms=settings.snapshot_life * 1000, clock=clock, wake=log.numbered.give)
    feed = Feed(snapshots, backlog=settings.reader_backlog, knows=verifiers.knows, clock=clock)
    numbered = Numbered()
    projector = Projector(
        log,
        tables,
        marks=marks,
        feed=feed,
        snapshots=snapshots,
        history=history,
        numbered=numbered,
        skew=skew,
        clock=clock,
        tend=Tending(log, tables, access_life_ms=settings.access_life * 1000 + skew),
    )
    ack_store = AckStore(log, tables, clock=clock)
    return Revocation(
        settings=settings,
        log=log,
        tables=tables,
        clock=clock,
        sources=Sources(log, tables, new_id=new_id),
        verifiers=verifiers,
        revocations=Revocations(
            log,
            tables,
            numbered=numbered,
            caps=Caps(settings.automated_per_minute, settings.automated_share, settings.automated_floor),
            lift_window_ms=settings.lift_window * 1000,
            new_id=new_id,
        ),
        intake=Intake(log, tables, max_skew=skew, on_loss=lambda since: history.lost(above=0, why="source", since=since)),
        history=history,
        projector=projector,
        feed=feed,
        snapshots=snapshots,
        acks=Acks(ack_store.write),
        ack_store=ack_store,
    )

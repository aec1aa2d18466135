"""Revoking and lifting from outside: the use cases behind /v1/revocations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select

from eventlog.errors import DuplicateEvent, VersionConflict
from eventlog.query import LogQuery
from eventlog.sql.engine import lock, write_connection
from eventlog.sql.log import SqlLog
from rescind.events.revocation import AutomationCapped, RevocationMade
from rescind.position import Position
from services.principal import Principal
from services.revocation.decisions.caps import HOUR_MS, MINUTE_MS, Caps, Over, over
from services.revocation.decisions.commands import MakeRevocation, author, decide, keyed_id, same_request, weight
from services.revocation.decisions.sources import Source
from services.revocation.decisions.views import RevocationView, decide_lift, view
from services.revocation.errors import Capped, InvalidRevocation, OtherRequest
from services.revocation.intake import entries
from services.revocation.numbered import Numbered
from services.revocation.sql.clock import database_now
from services.revocation.sql.source_store import read_sources
from services.revocation.sql.tables import RevocationTables

_NUMBERED_S = 2.0
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Made:
    """A revocation as it stands; `new` is False when the idempotency key had made it before."""

    revocation: RevocationView
    new: bool


class Revocations:
    """Every method may raise EventLogError (answer: retry). A position is None while the sequencer is behind."""

    def __init__(
        self,
        log: SqlLog,
        tables: RevocationTables,
        *,
        numbered: Numbered,
        caps: Caps,
        lift_window_ms: int,
        new_id: Callable[[], str],
    ) -> None:
        self._log = log
        self._tables = tables
        self._numbered = numbered
        self._caps = caps
        self.lift_window_ms = lift_window_ms
        self._new_id = new_id

    def make(self, command: MakeRevocation, caller: Principal) -> Made:
        """Revoke: durable when this returns. InvalidRevocation, OtherRequest, Capped."""
        key = command.idempotency_key
        revocation_id = keyed_id(author(caller), key) if key else self._new_id()
        with self._numbered.expected(revocation_id) as position:
            try:
                made = self._write(command, caller, revocation_id)
            except (VersionConflict, DuplicateEvent):  # the same key, at the same time or before
                return self._known(command, caller, revocation_id)
            except Capped as capped:
                self._report(capped, caller)
                raise
            self._log.written()
            try:
                at: Position | None = position.result(_NUMBERED_S)
            except NotYet:
                at = None
        found = RevocationView(first=made, position=at, arrived=made.at, parts=0, lifted=None, lifted_by="")
        return Made(found, new=True)

    def lift(self, revocation_id: str, caller: Principal) -> RevocationView:
        """Undo a revocation with all its parts; again is the same as once. NotFound, NotLiftable."""
        for attempt in range(_ATTEMPTS):
            event_id = self._new_id()
            with self._numbered.expected(event_id) as position:
                try:
                    lifted = self._lift(revocation_id, event_id, author(caller))
                except VersionConflict:  # a part has just arrived: look again
                    if attempt == _ATTEMPTS - 1:
                        raise
                    continue
                if lifted:
                    self._log.written()
                    with suppress(NotYet):  # it is durable; the list follows
                        position.result(_NUMBERED_S)
            return self.find(revocation_id)
        raise AssertionError("unreachable")

    def find(self, revocation_id: str) -> RevocationView:
        """One revocation. NotFound."""
        return view(self._log.read_stream(f"revocation-{revocation_id}"))

    def page(self, query: LogQuery) -> tuple[Sequence[RevocationView], Position | None]:
        """Revocations that fit the query, in the order of their positions, and where the next page begins (None: nowhere)."""
        found = self._log.search(replace(query, type=RevocationMade.wire, limit=query.limit + 1))
        page = found[: query.limit]
        views = [(each, view(self._log.read_stream(each.stream))) for each in page]
        shown = [found for each, found in views if found.position == each.position]  # one that was said again is shown once
        return shown, page[-1].position if len(found) > len(page) else None

    def _write(self, command: MakeRevocation, caller: Principal, revocation_id: str) -> RevocationMade:
        with write_connection(self._log.engine) as connection:
            now = database_now(connection)
            sources = read_sources(connection, self._tables.sources)
            made = decide(command, caller, sources=sources, revocation_id=revocation_id, now=now)
            self._log.insert(connection, entries(self._log, connection, [(made, revocation_id)], arrived=now))
            if made.automated:
                self._count(connection, made, sources, now)
        return made

    def _known(self, command: MakeRevocation, caller: Principal, revocation_id: str) -> Made:
        found = self.find(revocation_id)
        with write_connection(self._log.engine) as connection:
            sources = read_sources(connection, self._tables.sources)
        try:
            again = decide(command, caller, sources=sources, revocation_id=revocation_id, now=found.arrived)
        except InvalidRevocation:
            raise OtherRequest("the key was used for another request") from None
        if not isinstance(found.first, RevocationMade) or not same_request(found.first, again):
            raise OtherRequest("the key was used for another request")
        return Made(found, new=False)

    def _lift(self, revocation_id: str, event_id: str, by: str) -> bool:
        found = self.find(revocation_id)
        with write_connection(self._log.engine) as connection:
            now = database_now(connection)
            fact = decide_lift(found, by=by, now=now, lift_window_ms=self.lift_window_ms)
            if fact is not None:
                self._log.insert(connection, entries(self._log, connection, [(fact, event_id)], arrived=now))
        return fact is not None

    def _count(self, connection: Connection, made: RevocationMade, sources: Sequence[Source], now: int) -> None:
        """Hold the caps, in the same transaction, one caller after the other: Capped leaves nothing written."""
        lock(connection, "automated")
        table = self._tables.automated
        live = sum(each.live_sessions for each in sources if each.own and each.active)
        mine = weight(made)
        minute = select(func.count()).where(table.c.at > now - MINUTE_MS)
        hour = select(func.coalesce(func.sum(table.c.weight), 0)).where(table.c.at > now - HOUR_MS)
        found = over(
            self._caps,
            last_minute=connection.execute(minute).scalar_one(),
            last_hour=int(connection.execute(hour).scalar_one()),
            weight=mine,
            live_sessions=live,
        )
        if found:
            raise Capped(found)
        connection.execute(table.delete().where(table.c.at <= now - HOUR_MS))
        connection.execute(table.insert().values(id=made.revocation_id, at=now, weight=mine))

    def _report(self, capped: Capped, caller: Principal) -> None:
        """Write down that the caps held, once a minute for each of them and each caller."""
        found: Over = capped.over
        with write_connection(self._log.engine) as connection:
            now = database_now(connection)
            fact = AutomationCapped(by=author(caller), cap=found.cap, limit=found.limit, at=now)
            event_id = hashlib.sha256(f"capped {fact.by} {fact.cap} {now // MINUTE_MS}".encode()).hexdigest()[:32]
            known = self._tables.log.events.c.id
            if connection.execute(select(known).where(known == event_id)).first() is None:
                self._log.insert(connection, entries(self._log, connection, [(fact, event_id)], arrived=now))
        self._log.written()

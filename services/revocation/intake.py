"""The express road's end: an issuer's events become facts of the revocation log, and its watermark is believed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from eventlog.errors import Contention, DuplicateEvent, VersionConflict
from eventlog.port import Entry, Recorded
from eventlog.relay import OtherHistory, PositionConflict, Post
from eventlog.sql.engine import read_connection, write_connection
from eventlog.sql.log import SqlLog
from rescind.events.revocation import Fact
from rescind.position import BEGINNING, Position
from services.revocation.decisions.facts import UnreadableFact, event_of, stream_of, translate
from services.revocation.decisions.sources import Source, marked
from services.revocation.errors import NotYourSource
from services.revocation.sql.clock import database_now
from services.revocation.sql.source_store import find_source, lock_source, save_source
from services.revocation.sql.tables import RevocationTables

_ATTEMPTS = 3


class Intake:
    """`accept` is safe to repeat: what is here already is not written again.

    `on_loss` is called when a source goes on from beyond what we have: it only does that after our own answer, so that our
    database must have been put back to an older state; it is given the source's last time that we know. `trouble` names, per
    source, what could not be read.
    """

    def __init__(self, log: SqlLog, tables: RevocationTables, *, max_skew: int, on_loss: Callable[[int], None]) -> None:
        self._log = log
        self._tables = tables
        self._max_skew = max_skew
        self._on_loss = on_loss
        self.trouble: dict[str, str] = {}

    def position(self, iss: str) -> Position | None:
        """How far this source's log is here; None where nothing is."""
        with read_connection(self._log.engine) as connection:
            source = find_source(connection, self._tables.sources, iss)
        return source.position if source and source.position != BEGINNING else None

    def read(self, iss: str, records: Iterable[Recorded]) -> Sequence[tuple[Fact, str]]:
        """The facts in records of a source, with their events' ids. UnreadableFact, which is remembered in `trouble`."""
        try:
            facts = [(translate(iss, each), each.event.id) for each in records]
        except UnreadableFact as error:
            self.trouble[iss] = str(error)
            raise
        self.trouble.pop(iss, None)
        return facts

    def accept(self, post: Post, *, client_id: str | None = None) -> Position:
        """Write the facts and then the watermark, in one transaction, and return the position reached.

        PositionConflict where the post does not follow on what is here, OtherHistory where it cannot, because the source's log
        says something else up to there; NotYourSource where `client_id` (None: in process)
        may not speak for it; UnreadableFact, which stops this source until somebody has looked.
        """
        facts = self.read(post.iss, post.records)
        for attempt in range(_ATTEMPTS):
            try:
                position = self._write(post, facts, client_id)
            except (VersionConflict, DuplicateEvent, Contention):  # a lift or another replica was faster: look again
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                self._log.written()
                return position
        raise AssertionError("unreachable")

    def _write(self, post: Post, facts: Sequence[tuple[Fact, str]], client_id: str | None) -> Position:
        lost = False
        with write_connection(self._log.engine) as connection:
            source = lock_source(connection, self._tables.sources, post.iss)
            if source is None or not source.active or not source.own or client_id not in (None, source.client_id):
                raise NotYourSource(post.iss)
            lost = post.prev > source.position
            if follows(source, post):
                self._insert(connection, source, post, facts)
                return post.mark.position
        if lost:
            self._on_loss(source.time)
        raise PositionConflict(source.position)

    def _insert(self, connection: Connection, source: Source, post: Post, facts: Sequence[tuple[Fact, str]]) -> None:
        now = database_now(connection)
        new = unknown(connection, self._tables, facts)
        self._log.insert(connection, entries(self._log, connection, new, arrived=now))
        last_fact = new[-1][1] if new else ""  # what was here before stands before it
        save_source(
            connection,
            self._tables.sources,
            marked(source, post.mark, now=now, max_skew=self._max_skew, last_fact=last_fact, hash_=post.hash),
        )


@dataclass(frozen=True, slots=True)
class DirectSink:
    """The express road where the relay and this service are one process (`eventlog.relay.Sink`)."""

    intake: Intake
    iss: str

    def position(self) -> Position | None:
        """See Sink."""
        return self.intake.position(self.iss)

    def send(self, post: Post) -> Position:
        """See Sink."""
        return self.intake.accept(post)


def follows(source: Source, post: Post) -> bool:
    """Whether a post leads on from where its source's log is here. OtherHistory where the source was put back meanwhile.

    Then the source begins an epoch and sends all that we cannot have, in a post that replaces our position: its log's order is
    the newer history's from there on, and the facts of the older one stay.
    """
    if post.replaces is not None:
        return post.replaces == source.position
    if post.prev == source.position and source.hash and post.prev_hash and post.prev_hash != source.hash:
        raise OtherHistory(source.position)
    return post.prev <= source.position <= post.mark.position


def entries(log: SqlLog, connection: Connection, facts: Sequence[tuple[Fact, str]], *, arrived: int) -> Sequence[Entry]:
    """Give each fact, with its event's id, the next place in its stream."""
    versions = log.versions(connection, list(dict.fromkeys(stream_of(fact) for fact, _ in facts)))
    found: list[Entry] = []
    for fact, event_id in facts:
        stream = stream_of(fact)
        versions[stream] += 1
        found.append(Entry(stream, versions[stream], event_of(fact, id=event_id, arrived=arrived)))
    return found


def unknown(connection: Connection, tables: RevocationTables, facts: Sequence[tuple[Fact, str]]) -> Sequence[tuple[Fact, str]]:
    """Those of them that are not in the log."""
    ids = tables.log.events.c.id
    known = set(connection.execute(select(ids).where(ids.in_([each for _, each in facts]))).scalars())
    return list({event_id: (fact, event_id) for fact, event_id in facts if event_id not in known}.values())

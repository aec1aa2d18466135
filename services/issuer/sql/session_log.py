"""Reading the session log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from eventlog import query
from eventlog.port import Checkpoint, Recorded
from eventlog.sealing import CannotOpen, key_name, open_sealed
from rescind.events.administration import PersonalDataRead
from rescind.events.registry import EVENTS, decode, decode_personal
from rescind.position import BEGINNING, Position
from services.issuer.contexts import LogQuery
from services.issuer.decisions import names
from services.issuer.errors import InvalidRequest
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.issuer.views import LogEntry, LogPage
from services.times import Now

_MAX_PAGE = 1000
_WIRES = {event.__name__: wire for wire, event in EVENTS.items()}


class SessionLog:
    """The log for people and programs that may read it. What was read of personal data is in the log, too."""

    def __init__(self, store: Store, now: Now, new_id: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id

    def read(self, asked: LogQuery, *, with_personal_for: str | None) -> LogPage:
        """A page in position order. `with_personal_for`: who reads the decrypted personal part (audited); None: nobody.

        InvalidRequest for a position or an event type that is none.
        """
        found = self._search(asked)
        subs, keys = self._names_and_keys(found, with_keys=with_personal_for is not None)
        entries = tuple(_entry(each, subs, keys) for each in found)
        if with_personal_for is not None:
            self._audit(with_personal_for, "log", [each for each, entry in zip(found, entries, strict=True) if entry.personal])
        return LogPage(entries=entries, next=entries[-1].position if len(entries) == _limit(asked) else None)

    def records(self, after: Position, *, limit: int) -> Sequence[Recorded]:
        """Rows as they stand in the log, still sealed (/v1/log/records)."""
        return self._store.log.read(Checkpoint(str(after)), limit=min(limit, _MAX_PAGE)).records

    def subject_keys(self, subject_ids: Sequence[str], *, by: str) -> Mapping[str, bytes]:
        """The data keys of these log subjects (or days), audited (/v1/subject-keys); forgotten and unknown ones are missing."""
        with self._store.reading() as unit:
            keys = unit.keyring.find_all(list(subject_ids)[:_MAX_PAGE])
        if keys:
            self._write_audit(by, "subject-keys", subjects=len(keys), events=0)
        return keys

    def _search(self, asked: LogQuery) -> Sequence[Recorded]:
        subject = self._subject_id(asked.sub)
        if subject is None:
            return []
        return self._store.log.search(
            query.LogQuery(
                after=_position(asked.after),
                limit=_limit(asked),
                subject=subject,
                session=asked.sid,
                type=_wire(asked.type),
                since=asked.since,
                until=asked.until,
            )
        )

    def _subject_id(self, sub: str) -> str | None:
        """The log's id of a subject, "" for everybody, None for nobody."""
        if not sub:
            return ""
        with self._store.reading() as unit:
            found = unit.subjects.by_sub(sub) if names.is_name(sub) else None
        return found.account.id if found else None

    def _names_and_keys(self, found: Sequence[Recorded], *, with_keys: bool) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
        with self._store.reading() as unit:
            subs = unit.subjects.subs(sorted({each.event.subject for each in found} - {""}))
            wanted = {key_name(each.event.subject, each.event.time) for each in found if each.event.personal}
            return subs, unit.keyring.find_all(sorted(wanted)) if with_keys else {}

    def _audit(self, by: str, purpose: str, opened: Sequence[Recorded]) -> None:
        if opened:
            subjects = len({each.event.subject for each in opened} - {""})
            self._write_audit(by, purpose, subjects=subjects, events=len(opened))

    def _write_audit(self, by: str, purpose: str, *, subjects: int, events: int) -> None:
        event = PersonalDataRead(by=by, purpose=purpose, subjects=subjects, events=events)

        def work(unit: Unit) -> None:
            unit.record(f"audit-{self._new_id()}", 1, event, now=self._now())

        self._store.write(work)


def _entry(recorded: Recorded, subs: Mapping[str, str], keys: Mapping[str, bytes]) -> LogEntry:
    event = recorded.event
    decoded = decode(event.type, event.data)
    return LogEntry(
        position=str(recorded.position),
        id=event.id,
        type=type(decoded).__name__,
        time=event.time,
        sub=subs.get(event.subject),
        sid=event.session or None,
        data=asdict(decoded),
        personal=_personal(recorded, keys),
    )


def _personal(recorded: Recorded, keys: Mapping[str, bytes]) -> Mapping[str, object] | None:
    event = recorded.event
    key = keys.get(key_name(event.subject, event.time))
    if key is None or not event.personal:
        return None
    try:
        personal = decode_personal(open_sealed(key, event.id, event.personal))
    except CannotOpen:  # an account of this name was forgotten and named again: another key
        return None
    return {name: value for name, value in asdict(personal).items() if value is not None}


def _limit(asked: LogQuery) -> int:
    return max(1, min(asked.limit, _MAX_PAGE))


def _position(text: str) -> Position:
    try:
        return Position.parse(text) if text else BEGINNING
    except ValueError as error:
        raise InvalidRequest({"after": str(error)}) from None


def _wire(name: str) -> str:
    if name and name not in _WIRES:
        raise InvalidRequest({"type": "This is no event's name."})
    return _WIRES.get(name, "")

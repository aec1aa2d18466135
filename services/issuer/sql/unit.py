"""One transaction of the issuer: its rows, and the events that are written with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from eventlog.port import Entry, Event
from eventlog.sealing import key_name, seal
from rescind.events.personal import Personal
from rescind.events.registry import AnyEvent, encode, encode_personal
from services.issuer.sql.client_rows import ClientRows
from services.issuer.sql.key_rows import KeyRows
from services.issuer.sql.keyring_rows import KeyringRows
from services.issuer.sql.restriction_rows import RestrictionRows
from services.issuer.sql.session_rows import SessionRows
from services.issuer.sql.subject_rows import SubjectRows
from services.issuer.sql.tables import IssuerTables
from services.issuer.vault import Vault


class Unit:
    """What a use case does between BEGIN and COMMIT. Locks are taken on subjects first, then on sessions."""

    def __init__(self, connection: Connection, tables: IssuerTables, vault: Vault, new_id: Callable[[], str]) -> None:
        self.connection = connection
        self.keyring = KeyringRows(connection, tables.keyring, vault)
        self.subjects = SubjectRows(connection, tables.subjects)
        self.sessions = SessionRows(connection, tables.sessions, self.keyring)
        self.clients = ClientRows(connection, tables.clients)
        self.signing_keys = KeyRows(connection, tables.signing_keys)
        self.restrictions = RestrictionRows(connection, tables.restrictions)
        self.entries: list[Entry] = []
        self._new_id = new_id

    def record(
        self,
        stream: str,
        version: int,
        event: AnyEvent,
        *,
        now: int,
        subject: str = "",
        session: str = "",
        personal: Personal | None = None,
    ) -> None:
        """Write an event at commit. `version` is its own; `personal` is sealed with the subject's or the day's key."""
        wire, data = encode(event)
        event_id = self._new_id()
        sealed = self._sealed(event_id, subject, now, personal)
        self.entries.append(
            Entry(
                stream,
                version,
                Event(id=event_id, type=wire, time=now, subject=subject, session=session, data=data, personal=sealed),
            )
        )

    def record_all(
        self,
        stream: str,
        after_version: int,
        events: Sequence[AnyEvent],
        *,
        now: int,
        subject: str = "",
        session: str = "",
        personal: Personal | None = None,
    ) -> int:
        """Write events in turn after `after_version`; the stream's new version."""
        for version, event in enumerate(events, after_version + 1):
            self.record(stream, version, event, now=now, subject=subject, session=session, personal=personal)
        return after_version + len(events)

    def _sealed(self, event_id: str, subject: str, now: int, personal: Personal | None) -> bytes:
        if personal is None or personal == Personal():
            return b""
        name = key_name(subject, now)
        key = self.keyring.find(name) if subject else self.keyring.made(name, now)
        return seal(key, event_id, encode_personal(personal)) if key else b""

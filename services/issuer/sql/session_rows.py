"""Sessions in SQL. The personal part stands sealed in the row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, Table, bindparam, delete, func, insert, select, text, update

from eventlog.sealing import open_sealed, seal
from services.issuer.decisions import profile_json, restriction
from services.issuer.decisions.rotation import Rotation
from services.issuer.decisions.scopes import split, words
from services.issuer.decisions.session import Profile, Session
from services.issuer.sql.keyring_rows import KeyringRows

_SKIP_POSTGRES = text(
    "SELECT setval(pg_get_serial_sequence('sessions', 'sn'), nextval(pg_get_serial_sequence('sessions', 'sn')) + :count)"
)
_SKIP_SQLITE = text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = 'sessions'")
_BEGIN_SQLITE = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('sessions', :count)")


class SessionRows:
    """The rows of one transaction."""

    def __init__(self, connection: Connection, table: Table, keyring: KeyringRows) -> None:
        self.table = table
        self._connection = connection
        self._keyring = keyring

    def find(self, sid: str, *, lock: bool = False) -> Session | None:
        """One session; `lock` until the transaction ends."""
        return self.find_all([sid], lock=lock).get(sid)

    def find_all(self, sids: Sequence[str], *, lock: bool = False) -> Mapping[str, Session]:
        """Sessions by sid, locked in that order."""
        wanted = select(self.table).where(self.table.c.sid.in_(sids)).order_by(self.table.c.sid)
        return {each.sid: each for each in self._read(wanted.with_for_update() if lock else wanted)}

    def open_of(self, subject_id: str) -> Sequence[Session]:
        """Sessions of a subject that are not known to be over, the oldest first."""
        columns = self.table.c
        wanted = select(self.table).where(columns.subject_id == subject_id, columns.closed_at == 0)
        return self._read(wanted.order_by(columns.sn))

    def by_number(self, sn: int) -> str | None:
        """The sid of a session's number."""
        return self._connection.execute(select(self.table.c.sid).where(self.table.c.sn == sn)).scalar()

    def last_until(self, subject_id: str, auth_time: int) -> int:
        """The highest number of a session of this subject that began up to `auth_time` (seconds); -1 without one."""
        columns = self.table.c
        wanted = select(func.max(columns.sn)).where(columns.subject_id == subject_id, columns.auth_time <= auth_time)
        found = self._connection.execute(wanted).scalar()
        return -1 if found is None else found

    def due(self, now_s: int, limit: int) -> Sequence[str]:
        """Sids of open sessions whose refresh token has expired."""
        columns = self.table.c
        wanted = select(columns.sid).where(columns.closed_at == 0, columns.token_exp <= now_s)
        return self._connection.execute(wanted.order_by(columns.token_exp).limit(limit)).scalars().all()

    def idle(self, seen_before: int, limit: int) -> Sequence[str]:
        """Sids of open sessions that nobody has used since `seen_before` (ms)."""
        columns = self.table.c
        wanted = select(columns.sid).where(columns.closed_at == 0, columns.last_seen <= seen_before)
        return self._connection.execute(wanted.limit(limit)).scalars().all()

    def count_open(self, now_s: int) -> int:
        """How many sessions live, as far as the rows tell."""
        columns = self.table.c
        wanted = select(func.count()).where(columns.closed_at == 0, columns.token_exp > now_s)
        return self._connection.execute(wanted).scalar_one()

    def add(self, session: Session) -> Session:
        """A new session; returned with its number."""
        row = _row(session) | _constant(session) | {"profile": self._sealed(session)}
        sn = self._connection.execute(insert(self.table).values(row).returning(self.table.c.sn)).scalar_one()
        return replace(session, sn=sn)

    def save_all(self, sessions: Sequence[Session]) -> None:
        """The sessions' new states."""
        if not sessions:
            return
        rows = [_row(each) | {"profile": self._sealed(each), "the_sid": each.sid} for each in sessions]
        changes: dict[str, BindParameter[object]] = {name: bindparam(name) for name in rows[0] if name != "the_sid"}
        self._connection.execute(update(self.table).where(self.table.c.sid == bindparam("the_sid")).values(changes), rows)

    def close(self, subject_id: str, *, sn: int, except_sn: int, why: str, now: int) -> None:
        """Mark a subject's sessions up to `sn` as over; the events and the subject's row say so already."""
        columns = self.table.c
        covered = (columns.subject_id == subject_id) & (columns.sn <= sn) & (columns.sn != except_sn)
        self._connection.execute(update(self.table).where(covered, columns.closed_at == 0).values(closed_at=now, closed_why=why))

    def blank(self, subject_id: str) -> None:
        """Drop the sealed part of a forgotten subject's sessions, whose key is gone."""
        self._connection.execute(update(self.table).where(self.table.c.subject_id == subject_id).values(profile=b""))

    def prune(self, expired_before: int) -> int:
        """Delete closed sessions whose last token expired before this second; how many there were."""
        columns = self.table.c
        done = self._connection.execute(delete(self.table).where(columns.closed_at > 0, columns.token_exp < expired_before))
        return done.rowcount

    def skip_numbers(self, count: int) -> None:
        """Leave out the next numbers: after a restore they may have been given already."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(_SKIP_POSTGRES, {"count": count})
        elif self._connection.execute(_SKIP_SQLITE, {"count": count}).rowcount == 0:
            self._connection.execute(_BEGIN_SQLITE, {"count": count})

    def _read(self, wanted: Select[Any]) -> Sequence[Session]:
        rows = self._connection.execute(wanted).all()
        keys = self._keyring.find_all([row.subject_id for row in rows]) if rows else {}
        return [_session(row, keys.get(row.subject_id)) for row in rows]

    def _sealed(self, session: Session) -> bytes:
        key = self._keyring.find(session.subject_id)
        return seal(key, session.sid, profile_json.dump(session.profile)) if key else b""


def _session(row: Row[Any], key: bytes | None) -> Session:
    profile = profile_json.load(open_sealed(key, row.sid, row.profile)) if key and row.profile else Profile()
    return Session(
        sid=row.sid,
        sn=row.sn,
        subject_id=row.subject_id,
        client_id=row.client_id,
        secret=row.secret,
        version=row.version,
        auth_time=row.auth_time,
        created=row.created,
        last_seen=row.last_seen,
        remember_me=row.remember_me,
        bind_ip=row.bind_ip,
        bind_device=row.bind_device,
        scopes=None if row.scopes is None else split(row.scopes),
        cv=row.cv,
        rotation=Rotation(
            generation=row.generation,
            iat=row.token_iat,
            exp=row.token_exp,
            kid=row.token_kid,
            at=row.rotated_at,
            late=row.late,
            late_run=row.late_run,
        ),
        restrictions=restriction.load(row.restrictions),
        closed_at=row.closed_at,
        closed_why=row.closed_why,
        profile=profile,
    )


def _row(session: Session) -> dict[str, object]:
    rotation = session.rotation
    return {
        "version": session.version,
        "last_seen": session.last_seen,
        "scopes": None if session.scopes is None else words(session.scopes),
        "cv": session.cv,
        "generation": rotation.generation,
        "token_iat": rotation.iat,
        "token_exp": rotation.exp,
        "token_kid": rotation.kid,
        "rotated_at": rotation.at,
        "late": rotation.late,
        "late_run": rotation.late_run,
        "restrictions": restriction.dump(session.restrictions),
        "closed_at": session.closed_at,
        "closed_why": session.closed_why,
    }


def _constant(session: Session) -> dict[str, object]:
    return {
        "sid": session.sid,
        "subject_id": session.subject_id,
        "client_id": session.client_id,
        "secret": session.secret,
        "auth_time": session.auth_time,
        "created": session.created,
        "remember_me": session.remember_me,
        "bind_ip": session.bind_ip,
        "bind_device": session.bind_device,
    }

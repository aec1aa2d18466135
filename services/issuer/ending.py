"""Sessions end: by their own token, by their owner, by their client."""

from __future__ import annotations

from collections.abc import Callable

from rescind.claims import Claims
from rescind.vocabulary import Reason
from services.issuer.beginning import end_session, living_sessions
from services.issuer.decisions import names, subject
from services.issuer.decisions.scopes import ADMIN
from services.issuer.errors import Forbidden, InvalidToken, NotFound, UnsupportedTokenType
from services.issuer.inspecting import Inspecting
from services.issuer.settings import IssuerSettings
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.issuer.subject_writing import save_account
from services.issuer.views import Client
from services.times import Now


class Ending:
    """Every way to end a session writes the same event, and twice is the same as once."""

    def __init__(
        self, store: Store, inspecting: Inspecting, settings: IssuerSettings, now: Now, new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._inspecting = inspecting
        self._settings = settings
        self._now = now
        self._new_id = new_id

    def logout(self, token: str) -> None:
        """End the session of a genuine unexpired token, whatever its state; it is final. InvalidToken."""
        looked = self._inspecting.look(token)
        if looked.session is None:
            raise InvalidToken
        self._end(looked.session.sid, reason=Reason.LOGOUT, by="user")

    def revoke(self, token: str, client: Client) -> None:
        """RFC 7009 section 2.1: the token and all of its session. Forbidden, UnsupportedTokenType."""
        try:
            looked = self._inspecting.look(token)
        except InvalidToken:
            return  # section 2.2: an invalid token is no error
        if client.id != looked.client_id and ADMIN not in client.scopes:
            raise Forbidden("The token belongs to another client.")
        if looked.session is not None:
            self._end(looked.session.sid, reason=Reason.LOGOUT, by=f"client:{client.id}")
        elif isinstance(looked.token, Claims) and looked.token.sid is None:
            raise UnsupportedTokenType

    def end(self, subject_id: str, sid: str, *, by: str) -> None:
        """End one session of this subject; NotFound when it has no such session that is not over."""
        self._store.write(lambda unit: self._end_own(unit, subject_id, sid, by))

    def end_many(self, subject_id: str, *, keep_sid: str | None, by: str) -> int:
        """End all sessions of a subject but one, by one cut-off; how many that were."""
        return self._store.write(lambda unit: self._end_many(unit, subject_id, keep_sid, by))

    def _end(self, sid: str, *, reason: Reason, by: str) -> None:
        def work(unit: Unit) -> None:
            session = unit.sessions.find(sid, lock=True)
            if session is not None:
                end_session(unit, session, revocation_id=self._new_id(), reason=reason, by=by, now=self._now())

        self._store.write(work)

    def _end_own(self, unit: Unit, subject_id: str, sid: str, by: str) -> None:
        found = unit.subjects.by_id(subject_id, lock=True)
        session = unit.sessions.find(sid, lock=True) if found and names.is_id(sid) else None
        if found is None or session is None or session.subject_id != subject_id:
            raise NotFound
        now = self._now()
        living = living_sessions(unit, found.account, unit.restrictions.wide(), self._settings, now)
        if all(each.sid != sid for each in living):
            raise NotFound
        reason = Reason.SIGNED_OUT_ELSEWHERE
        end_session(unit, session, revocation_id=self._new_id(), reason=reason, by=by, now=now)

    def _end_many(self, unit: Unit, subject_id: str, keep_sid: str | None, by: str) -> int:
        found = unit.subjects.by_id(subject_id, lock=True)
        if found is None:
            return 0
        now = self._now()
        living = living_sessions(unit, found.account, unit.restrictions.wide(), self._settings, now)
        kept = next((each.sn for each in living if each.sid == keep_sid), -1)
        others = sum(each.sn != kept for each in living)
        if not others:
            return 0
        step = subject.sign_out(found.account, revocation_id=self._new_id(), except_sn=kept, by=by, now=now)
        save_account(unit, step, now=now)
        return others

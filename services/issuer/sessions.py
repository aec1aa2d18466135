"""Sessions: begin, rotate, look at, end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from eventlog.deciding import Committer
from rescind.events.personal import Personal
from services.issuer.beginning import living_sessions, save_step
from services.issuer.contexts import Login, RequestContext, StartSession
from services.issuer.decisions import names, tokens
from services.issuer.decisions import session as session_steps
from services.issuer.decisions.binding import Bind
from services.issuer.decisions.restriction import Restriction, State
from services.issuer.decisions.scopes import ADMIN
from services.issuer.decisions.session import Session
from services.issuer.ending import Ending
from services.issuer.errors import TOKEN_OUTDATED, InvalidRequest, InvalidToken, NotFound
from services.issuer.inspecting import Inspecting, members
from services.issuer.keys import Keys
from services.issuer.minting import Granted, Mint
from services.issuer.networks import Networks
from services.issuer.observing import observe
from services.issuer.rotating import Refresh
from services.issuer.settings import IssuerSettings
from services.issuer.signing_in import SigningIn
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.issuer.starting import Starting
from services.issuer.views import Client, Pair, SessionView
from services.times import Now

_INTROSPECT = "introspect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The use cases of sessions. Every method may raise EventLogError (answer: retry)."""

    signing_in: SigningIn
    starting: Starting
    ending: Ending
    inspecting: Inspecting
    committer: Committer[Refresh, Granted]
    mint: Mint
    store: Store
    keys: Keys
    networks: Networks
    settings: IssuerSettings
    now: Now

    def sign_in(self, login: Login, context: RequestContext) -> Pair:
        """Check name and password and begin a session. NoActiveAccount, InvalidRequest, Conflict."""
        _check_binding(login.bind_ip, login.bind_device)
        return self.mint.pair(self.signing_in.sign_in(login, observe(context, self.networks)))

    def start(self, client: Client, start: StartSession, context: RequestContext) -> Pair:
        """Begin a session for a subject that `client` authenticated. Forbidden, InvalidRequest, InvalidScope."""
        _check_binding(start.bind_ip, start.bind_device)
        return self.mint.pair(self.starting.start(client, start, observe(context, self.networks)))

    def refresh(self, token: str, context: RequestContext, *, client_id: str = "") -> Future[Pair]:
        """Exchange a refresh token. The future fails with InvalidToken, SessionEnded, SessionSuspended, StepUpRequired.

        `client_id` "" skips the check that the session belongs to that client.
        """
        answer: Future[Pair] = Future()
        try:
            read = tokens.read(token, self.keys.refresh_key, iss=self.settings.iss)
            command = Refresh(token, read, observe(context, self.networks), client_id)
            decided = self.committer.submit(command)
        except Exception as error:  # noqa: BLE001  (callers look for errors in one place)
            answer.set_exception(error)
        else:
            decided.add_done_callback(lambda done: _settle(answer, lambda: self.mint.pair(done.result())))
        return answer

    def verify(self, token: str) -> None:
        """Return when the token (of either kind) would be accepted now. Errors as for `refresh`."""
        looked = self.inspecting.look(token)
        if looked.refusal is not None:
            raise looked.refusal
        if looked.outdated:
            raise InvalidToken(TOKEN_OUTDATED)

    def logout(self, token: str) -> None:
        """End the session of a genuine unexpired token of either kind, whatever its state. InvalidToken."""
        self.ending.logout(token)

    def revoke(self, token: str, client: Client) -> None:
        """RFC 7009: end the token's session; unknown tokens are no error. Forbidden, UnsupportedTokenType."""
        self.ending.revoke(token, client)

    def introspect(self, token: str, client: Client) -> Mapping[str, object] | None:
        """RFC 7662: the members of an active token; None when it is not active or not this client's business."""
        try:
            looked = self.inspecting.look(token)
        except InvalidToken:
            return None
        asks_for_own = client.id == looked.client_id
        if looked.refusal or looked.outdated or not (asks_for_own or {_INTROSPECT, ADMIN} & client.scopes):
            return None
        return members(looked, self.settings)

    def of_subject(self, subject_id: str) -> Sequence[SessionView]:
        """Sessions that are not over, the newest first."""
        with self.store.reading() as unit:
            found = unit.subjects.by_id(subject_id)
            if found is None:
                return []
            wide, now = unit.restrictions.wide(), self.now()
            living = living_sessions(unit, found.account, wide, self.settings, now)
            held = {
                each.sid: self._is_held(each, (*found.account.restrictions, *wide.of(each.client_id)), now) for each in living
            }
        return [_view(each, held=held[each.sid]) for each in reversed(living)]

    def end(self, subject_id: str, sid: str, *, by: str) -> None:
        """End one session of this subject. NotFound."""
        self.ending.end(subject_id, sid, by=by)

    def end_many(self, subject_id: str, *, keep_sid: str | None, by: str) -> int:
        """End all sessions but `keep_sid` and say how many ended."""
        return self.ending.end_many(subject_id, keep_sid=keep_sid, by=by)

    def rename(self, subject_id: str, sid: str, name: str) -> None:
        """Name the session's device. NotFound, InvalidRequest."""
        cleaned = names.device_name(name)
        if cleaned is None:
            raise InvalidRequest({"device_name": "A device's name is not empty."})
        self.store.write(lambda unit: self._rename(unit, subject_id, sid, cleaned))

    def change_claims(self, client: Client, sid: str, scopes: Sequence[str] | None, claims: Mapping[str, object] | None) -> None:
        """Change what the session's tokens say; the old ones die at once. NotFound, InvalidRequest, InvalidScope."""
        self.starting.change_claims(client, sid, scopes, claims)

    def _rename(self, unit: Unit, subject_id: str, sid: str, name: str) -> None:
        session = unit.sessions.find(sid, lock=True) if names.is_id(sid) else None
        if session is None or session.subject_id != subject_id or session.closed_at:
            raise NotFound
        save_step(unit, session_steps.rename(session, name), now=self.now(), personal=Personal(device_name=name))

    def _is_held(self, session: Session, others: tuple[Restriction, ...], now: int) -> bool:
        lift_window = self.settings.lift_window * 1000
        return session.standing(others, now=now, lift_window=lift_window).state is not State.LIVE


def _check_binding(bind_ip: str, bind_device: str) -> None:
    wrong = {name for name, value in (("bind.ip", bind_ip), ("bind.device", bind_device)) if value not in list(Bind)}
    if wrong:
        raise InvalidRequest(dict.fromkeys(wrong, "log or strict"))


def _settle(answer: Future[Pair], make: Callable[[], Pair]) -> None:
    """Give the answer or its error. Nobody may be left waiting, whatever goes wrong."""
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(make())
    except Exception as error:  # noqa: BLE001  (it reaches the caller)
        answer.set_exception(error)


def _view(session: Session, *, held: bool) -> SessionView:
    profile, last = session.profile, session.profile.last
    return SessionView(
        sid=session.sid,
        device_name=profile.device_name,
        browser=last.browser,
        os=last.os,
        ip=last.ip,
        place=last.place,
        created=session.created,
        last_seen=session.last_seen,
        expires=session.rotation.exp * 1000,
        remember_me=session.remember_me,
        client_id=session.client_id,
        held=held,
    )

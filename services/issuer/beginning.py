"""A session begins, in the transaction of whoever has just proven who it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rescind.events.personal import Personal
from rescind.vocabulary import Effect, Reason
from services.issuer.decisions import restriction
from services.issuer.decisions import session as sessions
from services.issuer.decisions.presence import Presence
from services.issuer.decisions.restriction import State
from services.issuer.decisions.session import Begin, Session
from services.issuer.decisions.subject import Account
from services.issuer.keys import Keys
from services.issuer.minting import Granted, claims_version, scopes_of
from services.issuer.settings import IssuerSettings
from services.issuer.sql.restriction_rows import Wide
from services.issuer.sql.unit import Unit
from services.times import Now


@dataclass(frozen=True, slots=True)
class Beginning:
    """Writes new sessions."""

    keys: Keys
    settings: IssuerSettings
    now: Now
    new_id: Callable[[], str]

    def begin(self, unit: Unit, account: Account, command: Begin, presence: Presence, *, username: str | None) -> Granted:
        """Begin a session of a locked account; it gets its number under that lock, so cut-offs by number hold."""
        now, keys = self.now(), self.keys.read(unit)
        if self.settings.session_limit:
            self._make_room(unit, account, now)
        cuts = (*account.restrictions, *unit.restrictions.wide().of(command.client_id))
        auth_time = restriction.first_alive(cuts, now // 1000)
        new = sessions.begin(command, presence, self.settings, kid=keys.refresh_kid(now), auth_time=auth_time, now=now)
        made = unit.sessions.add(new)
        event = sessions.issued(made, scopes=scopes_of(made, account), cv=claims_version(made, account))
        personal = presence.personal(device_name=command.device_name, username=username)
        unit.record(f"session-{made.sid}", made.version, event, now=now, subject=account.id, session=made.sid, personal=personal)
        unit.subjects.save(replace(account, last_sn=made.sn))
        return Granted(made, account, keys, now)

    def _make_room(self, unit: Unit, account: Account, now: int) -> None:
        """End the oldest sessions, so that the new one is within the limit."""
        living = living_sessions(unit, account, unit.restrictions.wide(), self.settings, now)
        surplus = living[: max(0, len(living) - self.settings.session_limit + 1)]
        locked = unit.sessions.find_all([each.sid for each in surplus], lock=True)
        for sid in sorted(locked):
            end_session(unit, locked[sid], revocation_id=self.new_id(), reason=Reason.SESSION_LIMIT, by="issuer", now=now)


def living_sessions(unit: Unit, account: Account, wide: Wide, settings: IssuerSettings, now: int) -> list[Session]:
    """Sessions of an account that live or are held or suspended, the oldest first: all that is not over."""
    found = []
    for each in unit.sessions.open_of(account.id):
        others = (*account.restrictions, *wide.of(each.client_id))
        standing = each.standing(others, now=now, lift_window=settings.lift_window * 1000)
        if standing.state is not State.ENDED and not sessions.limit_reached(each, settings, now):
            found.append(each)
    return found


def end_session(
    unit: Unit,
    session: Session,
    *,
    revocation_id: str,
    reason: Reason,
    by: str,
    now: int,
    effect: Effect = Effect.END,
    answers: bool = False,
) -> bool:
    """Revoke a locked session and write it; False when that changed nothing."""
    step = sessions.revoke(session, revocation_id=revocation_id, effect=effect, reason=reason, by=by, now=now, answers=answers)
    save_step(unit, step, now=now)
    return bool(step.events)


def save_step(unit: Unit, step: sessions.Step, *, now: int, personal: Personal | None = None) -> None:
    """Write what happened to a locked session; nothing where nothing happened."""
    state = step.session
    if step.events:
        version = unit.record_all(
            f"session-{state.sid}",
            state.version,
            step.events,
            now=now,
            subject=state.subject_id,
            session=state.sid,
            personal=personal,
        )
        unit.sessions.save_all([replace(state, version=version)])

"""Refreshes, committed in groups: what waits is decided on locked rows and written in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from eventlog.errors import UnknownOutcome
from rescind.events.personal import Personal
from rescind.events.session import SessionExpired, SessionRevoked
from services.issuer.decisions import tokens
from services.issuer.decisions.presence import Presence
from services.issuer.decisions.refreshing import Decision, Presented, decide
from services.issuer.decisions.session import Session, SessionEvent
from services.issuer.decisions.subject import Account
from services.issuer.decisions.tokens import RefreshToken
from services.issuer.errors import InvalidToken
from services.issuer.key_set import KeySet
from services.issuer.keys import Keys
from services.issuer.minting import Granted
from services.issuer.settings import IssuerSettings
from services.issuer.sql.restriction_rows import Wide
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.times import Now


@dataclass(frozen=True, slots=True)
class Refresh:
    """A presented token whose outer MAC is good. `client_id` "": whichever client's."""

    text: str = field(repr=False)
    token: RefreshToken
    presence: Presence = field(repr=False)
    client_id: str = ""


@dataclass(slots=True)
class _Loaded:
    """What a batch decides on; sessions move on from command to command."""

    accounts: Mapping[str, Account]
    sessions: dict[str, Session]
    wide: Wide
    keys: KeySet
    now: int
    changed: dict[str, Session] = field(default_factory=dict)


class Rotating:
    """The `commit` of the refreshes' committer."""

    def __init__(self, store: Store, keys: Keys, settings: IssuerSettings, now: Now, new_id: Callable[[], str]) -> None:
        self._store = store
        self._keys = keys
        self._settings = settings
        self._now = now
        self._new_id = new_id

    def commit(self, batch: Sequence[Refresh]) -> Sequence[Granted | Exception]:
        """Decide and write a batch; a refusal is a result, and what it writes (reuse, expiry) is committed too."""
        return self._store.once(lambda unit: self._decide_all(unit, batch))

    def _decide_all(self, unit: Unit, batch: Sequence[Refresh]) -> Sequence[Granted | Exception]:
        loaded = self._load(unit, sorted({each.token.sid for each in batch}))
        results = [self._decide(unit, loaded, each) for each in batch]
        unit.sessions.save_all(list(loaded.changed.values()))
        return results

    def _load(self, unit: Unit, sids: Sequence[str]) -> _Loaded:
        accounts = unit.subjects.shared(sids, unit.sessions.table)
        return _Loaded(
            accounts=accounts,
            sessions=dict(unit.sessions.find_all(sids, lock=True)),
            wide=unit.restrictions.wide(),
            keys=self._keys.read(unit),
            now=self._now(),  # after the locks: what an earlier holder wrote is in our past
        )

    def _decide(self, unit: Unit, loaded: _Loaded, refresh: Refresh) -> Granted | Exception:
        session = loaded.sessions.get(refresh.token.sid)
        if session is None or not _is_genuine(refresh, session, loaded.keys):
            return InvalidToken()
        account = loaded.accounts.get(session.subject_id)
        if account is None:  # the session was made after the accounts were read
            return UnknownOutcome("the session is being made")
        presented = Presented(
            generation=refresh.token.generation,
            exp=refresh.token.exp,
            presence=refresh.presence,
            others=(*account.restrictions, *loaded.wide.of(session.client_id)),
            cv=account.cv,
            kid=loaded.keys.refresh_kid(loaded.now),
        )
        decision = decide(session, presented, self._settings, now=loaded.now, new_id=self._new_id)
        state = self._write(unit, loaded, session, decision, refresh.presence)
        return decision.refusal or Granted(state, account, loaded.keys, loaded.now)

    def _write(self, unit: Unit, loaded: _Loaded, before: Session, decision: Decision, presence: Presence) -> Session:
        if not decision.events:
            return decision.session
        version = before.version
        for event in decision.events:
            version += 1
            unit.record(
                f"session-{before.sid}",
                version,
                event,
                now=loaded.now,
                subject=before.subject_id,
                session=before.sid,
                personal=_personal(event, presence),
            )
        state = replace(decision.session, version=version)
        loaded.sessions[state.sid] = loaded.changed[state.sid] = state
        return state


def _is_genuine(refresh: Refresh, session: Session, keys: KeySet) -> bool:
    key = keys.secrets.get(refresh.token.kid)
    ours = key is not None and tokens.is_signed(refresh.text, key, session.secret)
    return ours and refresh.client_id in ("", session.client_id)


def _personal(event: SessionEvent, presence: Presence) -> Personal | None:
    """Where a refresh came from stands beside what it did; an end follows from it and needs no second copy."""
    return None if isinstance(event, SessionRevoked | SessionExpired) else presence.personal()

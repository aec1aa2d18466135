"""The way back: what was revoked from outside comes into the issuer's own records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from eventlog.port import Batch, Checkpoint, Recorded
from rescind.events.registry import AnyEvent, decode
from rescind.events.revocation import RevocationLifted, RevocationMade
from rescind.position import BEGINNING, Position
from rescind.vocabulary import Effect, Reason, TargetType
from services.issuer.beginning import end_session, save_step
from services.issuer.decisions import names, subject
from services.issuer.decisions import session as sessions
from services.issuer.decisions.restriction import Restriction
from services.issuer.decisions.session import Session
from services.issuer.keys import Keys
from services.issuer.settings import IssuerSettings
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.issuer.subject_writing import save_account
from services.times import Now

CURSOR = "revocations"


@dataclass(frozen=True, slots=True)
class _Read:
    """A fact and the checkpoint behind it."""

    fact: AnyEvent
    checkpoint: Checkpoint


class Following:
    """A projection over the revocation log (eventlog.port.Projection).

    The issuer's own revocations come by, too; what is known already changes nothing. After a restore they are news.
    """

    def __init__(self, store: Store, keys: Keys, settings: IssuerSettings, now: Now, new_id: Callable[[], str]) -> None:
        self._store = store
        self._keys = keys
        self._settings = settings
        self._now = now
        self._new_id = new_id

    def checkpoint(self) -> Checkpoint:
        """Where to go on from in the revocation log."""
        return self._store.log.cursor(None, CURSOR)

    def applied(self) -> Position:
        """Up to which position the revocation log stands in our records, for the source's watermarks."""
        checkpoint = self.checkpoint()
        return Position.parse(checkpoint) if checkpoint else BEGINNING

    def apply(self, batch: Batch) -> None:
        """Write the effects on our sessions, subjects and keys with the checkpoint; what is no news only moves the checkpoint."""
        with self._store.reading() as unit:
            news = [each for each in map(_read, batch.records) if self._is_news(unit, each.fact)]
        for each in news:
            self._store.write(lambda unit, each=each: self._apply(unit, each))  # type: ignore[misc]
        self._store.write(lambda unit: self._store.log.set_cursor(unit.connection, CURSOR, batch.checkpoint))

    def _is_news(self, unit: Unit, fact: object) -> bool:
        """Most of what comes is what this issuer has done itself."""
        match fact:
            case RevocationMade(iss=self._settings.iss, target_type=TargetType.SESSION, effect=Effect.END | Effect.HOLD):
                session = self._find(unit, fact)
                return session is not None and not sessions.is_known(session, fact.revocation_id)
            case RevocationMade(iss=self._settings.iss) | RevocationLifted(iss=self._settings.iss):
                return True
        return False

    def _apply(self, unit: Unit, read: _Read) -> None:
        match read.fact:
            case RevocationMade():
                self._made(unit, read.fact)
            case RevocationLifted():
                self._lifted(unit, read.fact.revocation_id)
        self._store.log.set_cursor(unit.connection, CURSOR, read.checkpoint)

    def _made(self, unit: Unit, fact: RevocationMade) -> None:
        match TargetType(fact.target_type):
            case TargetType.SESSION:
                self._session(unit, fact)
            case TargetType.SUBJECT:
                self._subject(unit, fact)
            case TargetType.KEY:
                self._keys.revoke(unit, fact.target_id, by=fact.by)
            case TargetType.TOKEN | TargetType.CLIENT | TargetType.ISSUER as target:
                unit.restrictions.add(target, fact.target_id, _restriction(fact))
                if target is TargetType.CLIENT and not fact.liftable:  # our own: it was deleted, and a restore has lost that
                    unit.clients.remove(fact.target_id)

    def _find(self, unit: Unit, fact: RevocationMade, *, lock: bool = False) -> Session | None:
        sid = fact.target_id if names.is_id(fact.target_id) else unit.sessions.by_number(fact.sn)
        return unit.sessions.find(sid, lock=lock) if sid else None

    def _session(self, unit: Unit, fact: RevocationMade) -> None:
        if fact.effect == Effect.REFRESH:
            self._claims_version(unit, fact)
            return
        session = self._find(unit, fact, lock=True)
        if session is not None and end_session(
            unit,
            session,
            revocation_id=fact.revocation_id,
            effect=Effect(fact.effect),
            reason=Reason(fact.reason),
            by=fact.by,
            now=self._now(),
            answers=True,
        ):
            unit.restrictions.add(TargetType.SESSION, session.sid, _restriction(fact))

    def _claims_version(self, unit: Unit, fact: RevocationMade) -> None:
        """Our own change of a session's claims. Only after a restore is its version news: tokens below it are refused."""
        seen = self._find(unit, fact)
        owner = unit.subjects.by_id(seen.subject_id, lock=True) if seen else None
        session = unit.sessions.find(seen.sid, lock=True) if seen and owner else None
        if owner is not None and session is not None and fact.cv > owner.account.last_cv:
            step = sessions.change_claims(
                session, scopes=None, claims=None, cv=fact.cv, revocation_id=fact.revocation_id, by=fact.by
            )
            save_step(unit, step, now=self._now())
            unit.subjects.save(replace(owner.account, last_cv=fact.cv))

    def _subject(self, unit: Unit, fact: RevocationMade) -> None:
        found = unit.subjects.by_name(fact.target_id)
        if found is None:
            return
        account, now = found.account, self._now()
        if fact.effect == Effect.REFRESH:
            if fact.cv < 0 or fact.cv > account.last_cv:  # from outside, or our own that a restore has lost
                answer = subject.answer_refresh(account, revocation_id=fact.revocation_id, at_least=fact.cv, by=fact.by)
                save_account(unit, answer, now=now)
            return
        until = fact.cut_auth_time
        sn = fact.cut_sn if until < 0 else unit.sessions.last_until(account.id, until)
        step = subject.revoke(
            account,
            revocation_id=fact.revocation_id,
            sn=sn,
            except_sn=fact.cut_except,
            auth_time=until,
            effect=Effect(fact.effect),
            reason=Reason(fact.reason),
            by=fact.by,
            now=now,
        )
        if step.account != account:
            save_account(unit, step, now=now)
            unit.restrictions.add(TargetType.SUBJECT, account.id, _restriction(fact))

    def _lifted(self, unit: Unit, revocation_id: str) -> None:
        target = unit.restrictions.find(revocation_id)
        if target is None:
            return
        now = self._now()
        match target.type:
            case TargetType.SESSION:
                session = unit.sessions.find(target.id, lock=True)
                if session is not None:
                    save_step(unit, sessions.reinstate(session, revocation_id=revocation_id), now=now)
            case TargetType.SUBJECT:
                found = unit.subjects.by_id(target.id, lock=True)
                if found is not None:
                    save_account(unit, subject.reinstate(found.account, revocation_id=revocation_id), now=now)
            case _:
                pass
        unit.restrictions.drop(revocation_id)


def _restriction(fact: RevocationMade) -> Restriction:
    return Restriction(
        id=fact.revocation_id,
        effect=Effect(fact.effect),
        reason=Reason(fact.reason),
        at=fact.at,
        whole=fact.cut_auth_time < 0,
        auth_time=fact.cut_auth_time,
        forever=not fact.liftable,
    )


def _read(record: Recorded) -> _Read:
    return _Read(decode(record.event.type, record.event.data), Checkpoint(str(record.position)))

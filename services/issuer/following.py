"""The way back: what was revoked from outside comes into the issuer's own records."""

from __future__ import annotations

from collections.abc import Callable

from eventlog.port import Batch, Checkpoint
from rescind.events.registry import decode
from rescind.events.revocation import RevocationLifted, RevocationMade
from rescind.position import BEGINNING, Position
from rescind.vocabulary import Effect, Reason, TargetType
from services.issuer import names, subject
from services.issuer import session as sessions
from services.issuer.beginning import end_session, save_step
from services.issuer.keys import Keys
from services.issuer.restriction import Restriction
from services.issuer.settings import IssuerSettings
from services.issuer.store import Store
from services.issuer.subject_writing import save_account
from services.issuer.unit import Unit
from services.times import Now

CURSOR = "revocations"


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
        """Write the effects on our sessions, subjects and keys, and the checkpoint; a transaction for each record."""
        for record in batch.records:
            fact = decode(record.event.type, record.event.data)

            def work(unit: Unit, fact: object = fact, at: Position | None = record.position) -> None:
                match fact:
                    case RevocationMade(iss=iss) if iss == self._settings.iss:
                        self._made(unit, fact)
                    case RevocationLifted(iss=iss) if iss == self._settings.iss:
                        self._lifted(unit, fact.revocation_id)
                self._store.log.set_cursor(unit.connection, CURSOR, Checkpoint(str(at)))

            self._store.write(work)

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

    def _session(self, unit: Unit, fact: RevocationMade) -> None:
        sid = fact.target_id if names.is_id(fact.target_id) else unit.sessions.by_number(fact.sn)
        session = unit.sessions.find(sid, lock=True) if sid else None
        if session is None or fact.effect == Effect.REFRESH:
            return
        done = end_session(
            unit,
            session,
            revocation_id=fact.revocation_id,
            effect=Effect(fact.effect),
            reason=Reason(fact.reason),
            by=fact.by,
            now=self._now(),
            answers=True,
        )
        if done:
            unit.restrictions.add(TargetType.SESSION, session.sid, _restriction(fact))

    def _subject(self, unit: Unit, fact: RevocationMade) -> None:
        found = unit.subjects.by_name(fact.target_id)
        if found is None:
            return
        account, now = found.account, self._now()
        if fact.effect == Effect.REFRESH:
            if fact.cv < 0:  # with a version it is our own
                answer = subject.answer_refresh(account, revocation_id=fact.revocation_id, by=fact.by)
                save_account(unit, answer, now=now)
            return
        outside = fact.cut_auth_time >= 0
        sn = unit.sessions.last_until(account.id, fact.cut_auth_time) if outside else fact.cut_sn
        step = subject.revoke(
            account,
            revocation_id=fact.revocation_id,
            sn=sn,
            except_sn=fact.cut_except,
            effect=Effect(fact.effect),
            reason=Reason(fact.reason),
            by=fact.by,
            now=now,
        )
        if step.events:
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

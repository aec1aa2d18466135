"""Subjects: the accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rescind.vocabulary import subject_name
from services.issuer.beginning import living_sessions
from services.issuer.contexts import RequestContext
from services.issuer.decisions import names, scopes, subject
from services.issuer.decisions.subject import Account, SubjectStep
from services.issuer.errors import Conflict, InvalidRequest, NotFound, WrongPassword
from services.issuer.networks import Networks
from services.issuer.observing import observe
from services.issuer.passwords import Passwords, check_new
from services.issuer.settings import IssuerSettings
from services.issuer.sql.store import Store
from services.issuer.sql.subject_rows import Credential
from services.issuer.sql.unit import Unit
from services.issuer.subject_writing import save_account
from services.issuer.views import Subject
from services.times import Now


class Subjects:
    """The use cases of accounts. Every method may raise EventLogError (answer: retry)."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        networks: Networks,
        settings: IssuerSettings,
        now: Now,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._networks = networks
        self._settings = settings
        self._now = now
        self._new_id = new_id

    def create(self, username: str, password: str, new_scopes: Sequence[str], *, by: str) -> Subject:  # noqa: ARG002  (see below)
        """Make an account of our own. InvalidRequest, Conflict."""
        name = names.new_username(username)
        check_new(password)
        granted = scopes.parse(new_scopes)
        hashed = self._passwords.hash(password)
        return self._store.write(lambda unit: self._create(unit, name, hashed, granted))

    def find(self, sub: str) -> Subject:
        """Look up by the platform's name. NotFound."""
        with self._store.reading() as unit:
            found = unit.subjects.by_sub(sub) if names.is_name(sub) else None
        if found is None:
            raise NotFound
        return _view(found.account)

    def set_scopes(self, sub: str, new_scopes: Sequence[str], *, by: str) -> Subject:
        """Change the scopes; tokens with the old ones are refused everywhere, sessions live. NotFound, InvalidRequest."""
        granted = scopes.parse(new_scopes)
        if self.find(sub).client_id:
            raise InvalidRequest({"scopes": "The sessions of this subject have scopes of their own, which their client changes."})
        return self._step(sub, lambda account, _: subject.set_scopes(account, granted, revocation_id=self._new_id(), by=by))

    def disable(self, sub: str, *, by: str) -> None:
        """End all sessions and refuse sign-ins; again is the same. NotFound."""
        self._step(sub, lambda account, now: subject.disable(account, revocation_id=self._new_id(), by=by, now=now))

    def enable(self, sub: str, *, by: str) -> None:
        """Allow sign-ins again. NotFound."""
        self._step(sub, lambda account, _: subject.enable(account, by=by))

    def set_password(self, sub: str, password: str, *, by: str) -> None:
        """Set a new password and end all sessions. NotFound (also for an account of somebody else's login), InvalidRequest."""
        check_new(password)
        if self.find(sub).client_id:
            raise NotFound
        hashed = self._passwords.hash(password)

        def work(unit: Unit) -> None:
            found = _found(unit.subjects.by_sub(sub, lock=True))
            self._change_password(unit, found.account, hashed, except_sn=-1, by=by)

        self._store.write(work)

    def change_password(self, subject_id: str, old: str, new: str, *, current_sid: str | None, context: RequestContext) -> None:
        """Change one's own password; all other sessions end (all, by setting). WrongPassword, InvalidRequest, Conflict."""
        check_new(new, field="new_password")
        with self._store.reading() as unit:
            verified = unit.subjects.by_id(subject_id)
        if not self._passwords.verify(verified.password if verified else None, old):
            raise WrongPassword
        hashed = self._passwords.hash(new)

        def work(unit: Unit) -> None:
            found = unit.subjects.by_id(subject_id, lock=True)
            if found is None or verified is None or found.password != verified.password or found.account.disabled:
                raise Conflict("The account changed meanwhile.")
            kept = -1 if self._settings.password_change_ends_all else self._number(unit, found.account, current_sid)
            self._change_password(unit, found.account, hashed, except_sn=kept, by="user", context=context)

        self._store.write(work)

    def forget(self, sub: str, *, by: str) -> None:
        """End everything and delete the key of the personal data; the name cannot be found afterwards. NotFound."""

        def work(unit: Unit) -> None:
            account = _found(unit.subjects.by_sub(sub, lock=True) if names.is_name(sub) else None).account
            now = self._now()
            save_account(unit, subject.forget(account, revocation_id=self._new_id(), by=by, now=now), now=now)
            unit.keyring.drop(account.id)
            unit.sessions.blank(account.id)

        self._store.write(work)

    def _create(self, unit: Unit, username: str, hashed: str, granted: frozenset[str]) -> Subject:
        now, subject_id = self._now(), self._new_id()
        account = Account(
            id=subject_id,
            sub=subject_id,
            name=subject_name(self._settings.iss, subject_id),
            client_id="",
            created=now,
        )
        unit.keyring.made(subject_id, now)
        unit.subjects.add(account, username=username, password=hashed)
        return _view(save_account(unit, subject.create(account, granted), now=now))

    def _step(self, sub: str, decide: Callable[[Account, int], SubjectStep]) -> Subject:
        def work(unit: Unit) -> Subject:
            found = _found(unit.subjects.by_sub(sub, lock=True) if names.is_name(sub) else None)
            now = self._now()
            return _view(save_account(unit, decide(found.account, now), now=now))

        return self._store.write(work)

    def _change_password(
        self,
        unit: Unit,
        account: Account,
        hashed: str,
        *,
        except_sn: int,
        by: str,
        context: RequestContext | None = None,
    ) -> None:
        now = self._now()
        personal = observe(context, self._networks).personal() if context else None
        step = subject.change_password(account, revocation_id=self._new_id(), except_sn=except_sn, by=by, now=now)
        save_account(unit, step, now=now, personal=personal)
        unit.subjects.set_password(account.id, hashed)

    def _number(self, unit: Unit, account: Account, sid: str | None) -> int:
        living = living_sessions(unit, account, unit.restrictions.wide(), self._settings, self._now())
        return next((each.sn for each in living if each.sid == sid), -1)


def _found(found: Credential | None) -> Credential:
    if found is None:
        raise NotFound
    return found


def _view(account: Account) -> Subject:
    return Subject(
        id=account.id,
        sub=account.sub,
        client_id=account.client_id,
        scopes=account.scopes,
        disabled=account.disabled,
        created=account.created,
    )

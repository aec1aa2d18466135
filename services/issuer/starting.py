"""Sessions for subjects that a trusted back end has authenticated itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rescind.vocabulary import subject_name
from services.issuer.beginning import Beginning, living_sessions, save_step
from services.issuer.contexts import StartSession
from services.issuer.decisions import access_claims, names, scopes, subject
from services.issuer.decisions import session as sessions
from services.issuer.decisions.presence import Presence
from services.issuer.decisions.session import Begin
from services.issuer.decisions.subject import Account
from services.issuer.errors import Conflict, Forbidden, InvalidRequest, InvalidScope, NotFound
from services.issuer.minting import Granted
from services.issuer.settings import IssuerSettings
from services.issuer.signing_in import SECRET_BYTES
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.issuer.subject_writing import save_account
from services.issuer.views import Client
from services.times import Now


class Starting:
    """`own_scopes`: the service's own, which a session gets only where they are asked for and granted by name."""

    def __init__(
        self,
        store: Store,
        beginning: Beginning,
        settings: IssuerSettings,
        now: Now,
        new_id: Callable[[], str],
        own_scopes: frozenset[str],
    ) -> None:
        self._store = store
        self._beginning = beginning
        self._settings = settings
        self._now = now
        self._new_id = new_id
        self._own_scopes = own_scopes

    def start(self, client: Client, start: StartSession, presence: Presence) -> Granted:
        """Begin a session. Forbidden, InvalidRequest, InvalidScope."""
        if not names.is_name(start.subject):
            raise InvalidRequest({"subject": "A subject has 1 to 255 printable characters."})
        granted = self._granted(client, start.scopes)
        claims = _checked(start.claims)
        device_name = names.device_name(start.device_name)

        def work(unit: Unit) -> Granted:
            account = self._account(unit, client, start.subject)
            command = Begin(
                sid=self._new_id(),
                subject_id=account.id,
                client_id=client.id,
                secret=os.urandom(SECRET_BYTES),
                scopes=granted,
                claims=claims,
                remember_me=start.remember_me,
                bind_ip=start.bind_ip,
                bind_device=start.bind_device,
                device_name=device_name,
            )
            return self._beginning.begin(unit, account, command, presence, username=start.subject)

        try:
            return self._store.write(work)
        except Conflict:  # somebody named the same new subject at the same moment
            return self._store.write(work)

    def change_claims(
        self, client: Client, sid: str, new_scopes: Sequence[str] | None, claims: Mapping[str, object] | None
    ) -> None:
        """Change a session's scopes, claims or both. NotFound, InvalidRequest, InvalidScope."""
        if new_scopes is None and claims is None:
            raise InvalidRequest({"scopes": "Give scopes, claims or both.", "claims": "Give scopes, claims or both."})
        granted = None if new_scopes is None else self._granted(client, new_scopes)
        checked = None if claims is None else _checked(claims)
        self._store.write(lambda unit: self._change(unit, client, sid, granted, checked))

    def _change(
        self, unit: Unit, client: Client, sid: str, granted: frozenset[str] | None, claims: dict[str, object] | None
    ) -> None:
        seen = unit.sessions.find(sid) if names.is_id(sid) else None
        found = unit.subjects.by_id(seen.subject_id, lock=True) if seen else None
        session = unit.sessions.find(sid, lock=True) if found else None
        if found is None or session is None or session.client_id != client.id or session.scopes is None:
            raise NotFound
        now = self._now()
        living = living_sessions(unit, found.account, unit.restrictions.wide(), self._settings, now)
        if all(each.sid != sid for each in living):
            raise NotFound
        cv = found.account.last_cv + 1
        step = sessions.change_claims(
            session, scopes=granted, claims=claims, cv=cv, revocation_id=self._new_id(), by=f"client:{client.id}"
        )
        save_step(unit, step, now=now)
        unit.subjects.save(replace(found.account, last_cv=cv))

    def _granted(self, client: Client, asked: Sequence[str] | None) -> frozenset[str]:
        """What a session may have: at most the client's grants; the service's own scopes never by default."""
        if asked is None:
            return client.grants - self._own_scopes
        wanted = scopes.parse(asked)
        if not wanted <= client.grants:
            raise InvalidScope
        return wanted

    def _account(self, unit: Unit, client: Client, sub: str) -> Account:
        """The client's subject, locked; made where nobody has named it yet. Forbidden."""
        found = unit.subjects.by_sub(sub, lock=True)
        if unit.clients.find(sub) is not None:  # RFC 9068 section 5: a person must not look like a machine
            raise Forbidden("This name belongs to a client.")
        if found is None:
            return self._created(unit, client, sub)
        if found.account.client_id != client.id:
            raise Forbidden("This subject belongs to another client.")
        if found.account.disabled:
            raise Forbidden("This subject is disabled.")
        return found.account

    def _created(self, unit: Unit, client: Client, sub: str) -> Account:
        now, subject_id = self._now(), self._new_id()
        account = Account(
            id=subject_id,
            sub=sub,
            name=subject_name(self._settings.iss, sub),
            client_id=client.id,
            created=now,
        )
        unit.keyring.made(subject_id, now)
        unit.subjects.add(account, username=None, password=None)
        return save_account(unit, subject.create(account, frozenset()), now=now)


def _checked(claims: Mapping[str, object]) -> dict[str, object]:
    try:
        size = len(json.dumps(claims, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequest({"claims": "Claims are JSON."}) from None
    access_claims.check_extra(claims, size)
    return dict(claims)

"""Signing in with name and password."""

from __future__ import annotations

import os
from collections.abc import Callable

from rescind.events.personal import Personal
from rescind.events.subject import LoginFailed
from services.issuer.beginning import Beginning
from services.issuer.clients import FIRST_PARTY
from services.issuer.contexts import Login
from services.issuer.decisions import names
from services.issuer.decisions.presence import Presence
from services.issuer.decisions.session import Begin
from services.issuer.errors import Conflict, NoActiveAccount
from services.issuer.minting import Granted
from services.issuer.passwords import Passwords
from services.issuer.sql.store import Store
from services.issuer.sql.subject_rows import Credential
from services.issuer.sql.unit import Unit
from services.times import Now

SECRET_BYTES = 32
_ATTEMPTS = 3


class _PasswordChanged(Exception):
    """The password that was verified is not the account's any more."""


class _Disabled(Exception):
    """The password fits, the account may not sign in."""


class SigningIn:
    """One Argon2 verification on every path; a second only where the password changed while the first one ran."""

    def __init__(self, store: Store, beginning: Beginning, passwords: Passwords, now: Now, new_id: Callable[[], str]) -> None:
        self._store = store
        self._beginning = beginning
        self._passwords = passwords
        self._now = now
        self._new_id = new_id

    def sign_in(self, login: Login, presence: Presence) -> Granted:
        """Begin a session. NoActiveAccount; Conflict when the password changes faster than it can be verified."""
        username = names.username(login.username)
        device_name = names.device_name(login.device_name)
        for _ in range(_ATTEMPTS):
            with self._store.reading() as unit:
                found = unit.subjects.by_username(username) if username else None
            fits = self._passwords.verify(found.password if found else None, login.password)
            if found is None or not fits:
                raise self._failed(login, found, "wrong_password" if found else "unknown", presence)
            try:
                return self._store.write(
                    lambda unit, found=found: self._begin(unit, login, found, presence, device_name)  # type: ignore[misc]
                )
            except _PasswordChanged:
                continue
            except _Disabled:
                raise self._failed(login, found, "disabled", presence) from None
        raise Conflict("The password is being changed.")

    def _begin(self, unit: Unit, login: Login, verified: Credential, presence: Presence, device_name: str | None) -> Granted:
        """On the locked account: what was verified must still be so, or a sign-in in flight would survive a new password."""
        found = unit.subjects.by_id(verified.account.id, lock=True)
        if found is None or found.account.disabled:
            raise _Disabled
        if found.password != verified.password:
            raise _PasswordChanged
        command = Begin(
            sid=self._new_id(),
            subject_id=found.account.id,
            client_id=FIRST_PARTY,
            secret=os.urandom(SECRET_BYTES),
            scopes=None,
            claims={},
            remember_me=login.remember_me,
            bind_ip=login.bind_ip,
            bind_device=login.bind_device,
            device_name=device_name,
        )
        return self._beginning.begin(unit, found.account, command, presence, username=names.username(login.username))

    def _failed(self, login: Login, found: Credential | None, cause: str, presence: Presence) -> NoActiveAccount:
        """Write a failure into a stream of its own, so that a flood of them is in nobody's way."""
        now, place = self._now(), self._new_id()
        subject = found.account.id if found else ""
        name_mac = "" if found else self._store.vault.name_mac(names.username(login.username) or login.username)
        event = LoginFailed(cause=cause, name_mac=name_mac)
        personal: Personal = presence.personal()
        self._store.write(lambda unit: unit.record(f"logins-{place}", 1, event, now=now, subject=subject, personal=personal))
        return NoActiveAccount()

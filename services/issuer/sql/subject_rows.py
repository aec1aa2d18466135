"""Accounts in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.issuer.decisions import restriction
from services.issuer.decisions.scopes import split, words
from services.issuer.decisions.subject import Account
from services.issuer.errors import Conflict


@dataclass(frozen=True, slots=True)
class Credential:
    """An account with the hash of its password; None for accounts of somebody else's login."""

    account: Account
    password: str | None = field(repr=False)


class SubjectRows:
    """The rows of one transaction."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table

    def by_username(self, username: str) -> Credential | None:
        """Who signs in with this name."""
        return self._credential(select(self._table).where(self._table.c.username == username))

    def by_id(self, subject_id: str, *, lock: bool = False) -> Credential | None:
        """One account; `lock` until the transaction ends."""
        wanted = select(self._table).where(self._table.c.id == subject_id)
        return self._credential(wanted.with_for_update() if lock else wanted)

    def by_sub(self, sub: str, *, lock: bool = False) -> Credential | None:
        """One account by the platform's name."""
        wanted = select(self._table).where(self._table.c.sub == sub)
        return self._credential(wanted.with_for_update() if lock else wanted)

    def by_name(self, name: str) -> Credential | None:
        """One account by its name in the revocation list, locked; the forgotten are not found."""
        columns = self._table.c
        wanted = select(self._table).where(columns.name == name, columns.forgotten.is_(False))
        return self._credential(wanted.with_for_update())

    def shared(self, session_ids: Sequence[str], sessions: Table) -> Mapping[str, Account]:
        """The accounts of these sessions by id, kept from changing until the transaction ends."""
        owners = select(sessions.c.subject_id).where(sessions.c.sid.in_(session_ids))
        wanted = select(self._table).where(self._table.c.id.in_(owners)).order_by(self._table.c.id)
        return {row.id: _account(row) for row in self._connection.execute(wanted.with_for_update(read=True))}

    def subs(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The platform's names of log subjects, as far as they are not forgotten."""
        columns = self._table.c
        rows = self._connection.execute(select(columns.id, columns.sub).where(columns.id.in_(ids), columns.sub.is_not(None)))
        return {row.id: row.sub for row in rows}

    def add(self, account: Account, *, username: str | None, password: str | None) -> None:
        """A new account; Conflict when its name is taken."""
        row = _row(account) | {"id": account.id, "username": username, "password": password}
        row |= {"sub": account.sub, "name": account.name, "client_id": account.client_id, "created": account.created}
        try:
            self._connection.execute(insert(self._table).values(row))
        except IntegrityError:
            raise Conflict("This name is taken.") from None

    def save(self, account: Account) -> None:
        """The account's new state; what names a forgotten one goes."""
        row = _row(account)
        if account.forgotten:
            row |= {"sub": None, "username": None, "password": None}
        self._connection.execute(update(self._table).where(self._table.c.id == account.id).values(row))

    def set_password(self, subject_id: str, password: str) -> None:
        """The hash of a new password."""
        self._connection.execute(update(self._table).where(self._table.c.id == subject_id).values(password=password))

    def _credential(self, wanted: Select[Any]) -> Credential | None:
        row = self._connection.execute(wanted).one_or_none()
        return Credential(_account(row), row.password) if row is not None else None


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        sub=row.sub or "",
        name=row.name,
        client_id=row.client_id,
        created=row.created,
        version=row.version,
        scopes=split(row.scopes),
        disabled=row.disabled,
        forgotten=row.forgotten,
        cv=row.cv,
        last_cv=row.last_cv,
        last_sn=row.last_sn,
        restrictions=restriction.load(row.restrictions),
    )


def _row(account: Account) -> dict[str, object]:
    return {
        "version": account.version,
        "scopes": words(account.scopes),
        "disabled": account.disabled,
        "forgotten": account.forgotten,
        "cv": account.cv,
        "last_cv": account.last_cv,
        "last_sn": account.last_sn,
        "restrictions": restriction.dump(account.restrictions),
    }

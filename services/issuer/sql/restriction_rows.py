"""Revocations from outside in SQL: those of clients, single tokens and the issuer, and where the others were applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, delete, insert, select

from rescind.vocabulary import TargetType
from services.issuer.decisions import restriction
from services.issuer.decisions.restriction import Restriction

_WIDE = (TargetType.CLIENT.value, TargetType.ISSUER.value)


@dataclass(frozen=True, slots=True)
class Wide:
    """The restrictions that many sessions fall under."""

    issuer: tuple[Restriction, ...] = ()
    clients: Mapping[str, tuple[Restriction, ...]] = field(default_factory=dict)

    def of(self, client_id: str) -> tuple[Restriction, ...]:
        """What is to be looked at for a session of this client."""
        return (*self.issuer, *self.clients.get(client_id, ()))


@dataclass(frozen=True, slots=True)
class Applied:
    """What a revocation from outside was about: a sid, the log's subject id, a client_id, a jti or the `iss`."""

    type: TargetType
    id: str


class RestrictionRows:
    """The rows of one transaction."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table

    def wide(self) -> Wide:
        """Those of clients and of the issuer."""
        columns = self._table.c
        wanted = select(columns.target_type, columns.target_id, columns.restriction).where(columns.target_type.in_(_WIDE))
        issuer: tuple[Restriction, ...] = ()
        clients: dict[str, tuple[Restriction, ...]] = {}
        for kind, target_id, text in self._connection.execute(wanted):
            if kind == TargetType.ISSUER:
                issuer += restriction.load(text)
            else:
                clients[target_id] = clients.get(target_id, ()) + restriction.load(text)
        return Wide(issuer, clients)

    def has_token(self, jti: str) -> bool:
        """Whether this very access token was revoked."""
        columns = self._table.c
        wanted = select(columns.target_id).where(columns.target_type == TargetType.TOKEN.value, columns.target_id == jti)
        return self._connection.execute(wanted).first() is not None

    def find(self, revocation_id: str) -> Applied | None:
        """What a revocation was about, as long as it can be lifted."""
        columns = self._table.c
        wanted = select(columns.target_type, columns.target_id).where(columns.revocation_id == revocation_id)
        row = self._connection.execute(wanted).one_or_none()
        return Applied(TargetType(row.target_type), row.target_id) if row else None

    def add(self, target: TargetType, target_id: str, new: Restriction) -> None:
        """Remember one; the same revocation again replaces it."""
        self.drop(new.id)
        self._connection.execute(
            insert(self._table).values(
                revocation_id=new.id,
                target_type=target.value,
                target_id=target_id,
                restriction=restriction.dump((new,)),
                at=new.at,
            )
        )

    def drop(self, revocation_id: str) -> bool:
        """Forget one; False when there was none."""
        done = self._connection.execute(delete(self._table).where(self._table.c.revocation_id == revocation_id))
        return done.rowcount > 0

    def prune(self, *, tokens_before: int, others_before: int, wide_before: int) -> int:
        """Forget what was made before these (ms).

        Tokens that have expired; what was applied to rows and cannot be lifted any more; clients and the issuer, whose sessions
        of that time are over.
        """
        columns = self._table.c
        applied = (TargetType.SESSION.value, TargetType.SUBJECT.value)
        over = (columns.target_type == TargetType.TOKEN.value) & (columns.at < tokens_before)
        settled = columns.target_type.in_(applied) & (columns.at < others_before)
        wide = columns.target_type.in_(_WIDE) & (columns.at < wide_before)
        return self._connection.execute(delete(self._table).where(over | settled | wide)).rowcount

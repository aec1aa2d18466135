"""OAuth clients in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from services.issuer.decisions.scopes import split, words
from services.issuer.views import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClient:
    """A client and the SHA-256 of its secret, empty for a public one; `previous` is good, too, until that time (ms)."""

    client: Client
    secret: bytes = field(repr=False)
    previous: bytes = field(default=b"", repr=False)
    previous_until: int = 0
    created: int
    version: int = 1


class ClientRows:
    """The rows of one transaction. Of a client only its secret changes."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table

    def find(self, client_id: str, *, lock: bool = False) -> StoredClient | None:
        """One client."""
        wanted = select(self._table).where(self._table.c.id == client_id)
        row = self._connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
        return _stored(row) if row is not None else None

    def page(self, after: str, limit: int) -> Sequence[StoredClient]:
        """In the order of their ids."""
        ids = self._table.c.id
        return [
            _stored(row) for row in self._connection.execute(select(self._table).where(ids > after).order_by(ids).limit(limit))
        ]

    def add(self, stored: StoredClient) -> None:
        """A new client."""
        client = stored.client
        self._connection.execute(
            insert(self._table).values(
                id=client.id,
                name=client.name,
                secret=stored.secret,
                scopes=words(client.scopes),
                grants=words(client.grants),
                audience=client.audience,
                public=client.public,
                created=stored.created,
            )
        )

    def save_secrets(self, stored: StoredClient) -> None:
        """What changes of a client."""
        self._connection.execute(
            update(self._table)
            .where(self._table.c.id == stored.client.id)
            .values(
                secret=stored.secret,
                previous_secret=stored.previous,
                previous_until=stored.previous_until,
                version=stored.version,
            )
        )

    def remove(self, client_id: str) -> None:
        """Its sessions stay, and so does the name that its subjects have for their owner."""
        self._connection.execute(delete(self._table).where(self._table.c.id == client_id))


def _stored(row: Row[Any]) -> StoredClient:
    client = Client(
        id=row.id,
        name=row.name,
        scopes=split(row.scopes),
        grants=split(row.grants),
        audience=row.audience,
        public=row.public,
    )
    return StoredClient(
        client=client,
        secret=row.secret,
        previous=row.previous_secret or b"",
        previous_until=row.previous_until or 0,
        created=row.created,
        version=row.version or 1,
    )

"""OAuth clients in SQL."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, insert, select

from services.issuer.decisions.scopes import split, words
from services.issuer.views import Client


@dataclass(frozen=True, slots=True)
class StoredClient:
    """A client and the SHA-256 of its secret; empty for a public one."""

    client: Client
    secret: bytes = field(repr=False)


class ClientRows:
    """The rows of one transaction. Clients do not change."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table

    def find(self, client_id: str) -> StoredClient | None:
        """One client."""
        row = self._connection.execute(select(self._table).where(self._table.c.id == client_id)).one_or_none()
        if row is None:
            return None
        client = Client(
            id=row.id,
            name=row.name,
            scopes=split(row.scopes),
            grants=split(row.grants),
            audience=row.audience,
            public=row.public,
        )
        return StoredClient(client, row.secret)

    def add(self, client: Client, *, secret: bytes, created: int) -> None:
        """A new client."""
        self._connection.execute(
            insert(self._table).values(
                id=client.id,
                name=client.name,
                secret=secret,
                scopes=words(client.scopes),
                grants=words(client.grants),
                audience=client.audience,
                public=client.public,
                created=created,
            )
        )

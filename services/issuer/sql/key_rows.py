"""Signing keys in SQL, wrapped by the master key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, insert, select, update

from services.issuer.decisions.keyring import Key, Use


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key's life and the wrapped key."""

    key: Key
    wrapped: bytes = field(repr=False)


class KeyRows:
    """The rows of one transaction."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table

    def all(self) -> Sequence[StoredKey]:
        """All keys, the retired too."""
        return [
            StoredKey(
                Key(
                    kid=row.kid,
                    use=Use(row.use),
                    algorithm=row.algorithm,
                    signs_from=row.signs_from,
                    retired_at=row.retired_at,
                    revoked_at=row.revoked_at,
                ),
                row.wrapped,
            )
            for row in self._connection.execute(select(self._table))
        ]

    def add(self, key: Key, wrapped: bytes) -> None:
        """A new key."""
        self._connection.execute(
            insert(self._table).values(
                kid=key.kid,
                use=key.use.value,
                algorithm=key.algorithm,
                wrapped=wrapped,
                signs_from=key.signs_from,
                retired_at=key.retired_at,
                revoked_at=key.revoked_at,
            )
        )

    def save(self, key: Key) -> None:
        """A key's new place in its life; what is over loses its secret."""
        changes: dict[str, object] = {
            "signs_from": key.signs_from,
            "retired_at": key.retired_at,
            "revoked_at": key.revoked_at,
        }
        if not key.usable:
            changes["wrapped"] = b""
        self._connection.execute(update(self._table).where(self._table.c.kid == key.kid).values(changes))

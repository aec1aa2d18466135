"""Who calls, as a checked token says. Pure."""

from __future__ import annotations

from dataclasses import dataclass

ADMIN = "admin"
"""The scope that includes all others."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `sid` is None and `sn` -1 for a machine's token."""

    sub: str
    client_id: str
    sid: str | None
    sn: int
    scopes: frozenset[str]

    def has(self, scope: str) -> bool:
        """Whether the caller may do what this scope allows."""
        return scope in self.scopes or ADMIN in self.scopes

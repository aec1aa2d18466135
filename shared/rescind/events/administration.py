"""What happens to clients and keys, and who looked at personal data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCreated:
    """An OAuth client was registered."""

    wire: ClassVar[str] = "client.created.v1"
    client_id: str
    scope: str
    grants: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecretRotated:
    """A client has a new secret; the one before is good until `previous_until` (ms)."""

    wire: ClassVar[str] = "client.secret_rotated.v1"
    client_id: str
    previous_until: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDeleted:
    """A client is no more: its own tokens and those of its sessions are refused for good."""

    wire: ClassVar[str] = "client.deleted.v1"
    revocation_id: str
    client_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotated:
    """`kid` became the signing key for `use` (access or refresh). `cause`: first, rotation, compromised."""

    wire: ClassVar[str] = "key.rotated.v1"
    kid: str
    use: str
    cause: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRetired:
    """`kid` verifies nothing any more. `cause`: overlap_over, compromised."""

    wire: ClassVar[str] = "key.retired.v1"
    kid: str
    use: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataRead:
    """Somebody with the scope for it read decrypted personal data of `subjects` subjects in `events` events."""

    wire: ClassVar[str] = "personal.read.v1"
    by: str
    purpose: str
    subjects: int
    events: int


ADMINISTRATION_EVENTS = (ClientCreated, ClientSecretRotated, ClientDeleted, KeyRotated, KeyRetired, PersonalDataRead)

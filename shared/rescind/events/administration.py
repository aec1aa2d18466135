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


ADMINISTRATION_EVENTS = (ClientCreated, KeyRotated, KeyRetired, PersonalDataRead)

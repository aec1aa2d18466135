"""The personal part of events: sealed with AES-256-GCM before it is written, opened by whoever is given the key. Pure.

The key is named by the event's subject; an event without one (a sign-in with an unknown name) uses a key of its day.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_DAY_PREFIX = "day-"


class CannotOpen(ValueError):
    """Another key, another place, or changed bytes."""


def new_key() -> bytes:
    """A random key."""
    return AESGCM.generate_key(bit_length=KEY_BYTES * 8)


def key_name(subject: str, time: int) -> str:
    """The name of the key of an event: its subject's log id, else its day in UTC. `time` in milliseconds."""
    return subject or _DAY_PREFIX + datetime.fromtimestamp(time / 1000, UTC).date().isoformat()


def is_day_key(name: str) -> bool:
    """Whether a key's name is a day."""
    return name.startswith(_DAY_PREFIX)


def seal(key: bytes, place: str, data: bytes) -> bytes:
    """Seal `data` for one place (an event's id): a random nonce and the ciphertext."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, place.encode())


def open_sealed(key: bytes, place: str, sealed: bytes) -> bytes:
    """Open what `seal` made for this place; CannotOpen."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError):
        raise CannotOpen("this key does not open it here") from None

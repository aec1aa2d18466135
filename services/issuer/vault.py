"""What the master key protects: the keys of subjects and days, the signing keys, and the names of failed sign-ins. Pure."""

from __future__ import annotations

import hmac
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from eventlog.sealing import KEY_BYTES, new_key, open_sealed, seal


class Vault:
    """Wraps keys for storage. The master key never enters the database."""

    def __init__(self, master: bytes) -> None:
        if len(master) < KEY_BYTES:
            msg = f"the master key has at least {KEY_BYTES} bytes"
            raise ValueError(msg)
        self._wrapping = _derived(master, b"wrap")
        self._naming = _derived(master, b"names")

    def new_wrapped(self, name: str) -> bytes:
        """A new random key, wrapped under its name."""
        return self.wrap(name, new_key())

    def wrap(self, name: str, key: bytes) -> bytes:
        """Seal a key for storage under its name."""
        return seal(self._wrapping, name, key)

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """Open a stored key; CannotOpen under another name or another master key."""
        return open_sealed(self._wrapping, name, wrapped)

    def name_mac(self, name: str) -> str:
        """An HMAC of a name that no account has: failures with the same name look alike, the name cannot be read."""
        return hmac.digest(self._naming, name.encode("utf-8", "replace"), sha256)[:16].hex()


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(hashes.SHA256(), KEY_BYTES, b"rescind issuer " + purpose).derive(master)

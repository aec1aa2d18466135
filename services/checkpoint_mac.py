"""Signs the exported checkpoints of the logs: a MAC under a key that is derived from the installation's secret. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

Sign = Callable[[bytes], bytes]


def checkpoint_key(master: bytes) -> bytes:
    """The key that signs checkpoints, for a service that does not have the installation's secret."""
    return HKDFExpand(hashes.SHA256(), 32, b"rescind log checkpoints").derive(master)


def signer(master: bytes) -> Sign:
    """What signs a checkpoint's bytes."""
    return sign_with(checkpoint_key(master))


def sign_with(key: bytes) -> Sign:
    """The same, by the derived key."""
    return lambda signed: hmac.digest(key, signed, "sha256")


def checker(master: bytes) -> Callable[[bytes, bytes], bool]:
    """What checks a signature."""
    sign = signer(master)
    return lambda signed, signature: hmac.compare_digest(sign(signed), signature)

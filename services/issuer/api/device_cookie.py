"""The device cookie: an id that stays with the browser, and a proof for each account that has signed in from it.

Value: `ID.PROOF.PROOF…`, the newest proof first. A proof is a truncated HMAC of id and account, so nobody can make one for an
account without having signed in to it; the server stores nothing.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_PROOF = re.compile(r"[A-Za-z0-9_-]{22}")
_OWN_NAME = re.compile(r"[\x21-\x7e]{8,128}")
_ACCOUNTS = 8


@dataclass(frozen=True, slots=True)
class Device:
    """A browser, as its cookie tells."""

    id: str
    proofs: tuple[str, ...] = field(default=(), repr=False)


def new_device() -> Device:
    """A browser that is seen for the first time; 128 random bits."""
    return Device(secrets.token_urlsafe(16))


def read(cookie: str | None) -> Device | None:
    """The device of a cookie's value; None for anything that is none."""
    device_id, *proofs = (cookie or "").split(".")
    if not _ID.fullmatch(device_id) or len(proofs) > _ACCOUNTS or not all(map(_PROOF.fullmatch, proofs)):
        return None
    return Device(device_id, tuple(proofs))


def write(device: Device) -> str:
    """The cookie's value."""
    return ".".join((device.id, *device.proofs))


def named(header: str | None) -> str | None:
    """A device id of the client's own, from `Rescind-Device`: 8 to 128 visible ASCII characters; None for anything else."""
    return header if header and _OWN_NAME.fullmatch(header) else None


def knows(device: Device, account: str, key: bytes) -> bool:
    """Whether this account has signed in from this device before."""
    proof = _prove(device.id, account, key)
    return any(hmac.compare_digest(proof, other) for other in device.proofs)


def remember(device: Device, account: str, key: bytes) -> Device:
    """The device after a sign-in to this account; of many accounts the latest are kept."""
    proof = _prove(device.id, account, key)
    others = tuple(other for other in device.proofs if other != proof)
    return Device(device.id, (proof, *others)[:_ACCOUNTS])


def _prove(device_id: str, account: str, key: bytes) -> str:
    mac = hmac.digest(key, f"device\0{device_id}\0{account}".encode(), "sha256")
    return urlsafe_b64encode(mac[:16]).rstrip(b"=").decode()

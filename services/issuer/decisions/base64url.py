"""Base64url without padding (RFC 7515 section 2). Pure."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(data: bytes) -> str:
    """Bytes as text without `=`."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Text that `encode` could have written; ValueError for anything else."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        msg = "not canonical base64url"
        raise ValueError(msg)
    return data

"""A mark proves which history a position is from: the chain's hash there, under a MAC whose key is kept outside the database."""

from __future__ import annotations

import base64
import binascii
import hmac

from rescind.position import Position

_HASH = 32
_MAC = 16


class Marks:
    """Made for every position that leaves the service; `key` is 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, position: Position, hash_: bytes) -> str:
        """Write the mark of a position where the chain's hash is `hash_`."""
        return base64.urlsafe_b64encode(hash_ + self._mac(position, hash_)).decode()

    def read(self, position: Position, mark: str) -> bytes | None:
        """The hash that we once vouched for at this position; None when the mark is not ours."""
        try:
            data = base64.b64decode(mark, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        hash_, mac = data[:_HASH], data[_HASH:]
        return hash_ if len(data) == _HASH + _MAC and hmac.compare_digest(mac, self._mac(position, hash_)) else None

    def _mac(self, position: Position, hash_: bytes) -> bytes:
        return hmac.digest(self._key, b"rescind mark %d.%d " % (position.epoch, position.seq) + hash_, "sha256")[:_MAC]

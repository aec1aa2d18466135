"""Signing keys."""

from __future__ import annotations

from collections.abc import Mapping

from rescind.keys import PublicKey


class Keys:
    """The use cases of keys."""

    def rotate(self, use: str, *, by: str) -> str:
        """Publish the next key for `use` (access or refresh); it signs after a while. Returns its kid. InvalidRequest."""
        raise NotImplementedError

    def jwks(self) -> Mapping[str, object]:
        """The JWK set (RFC 7517) of the access keys: the current, those ahead and those in overlap."""
        raise NotImplementedError

    def key(self, kid: str) -> PublicKey | None:
        """A published access key; the KeySource of our own edge."""
        raise NotImplementedError

"""The signing keys as they stand at one moment, ready to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rescind.keys import PublicKey, from_jwk
from services.issuer import signing
from services.issuer.decisions import keyring
from services.issuer.decisions.keyring import Key, Use
from services.issuer.signing import Signer
from services.issuer.sql.key_rows import StoredKey
from services.issuer.vault import Vault


class NoKey(RuntimeError):
    """There is no key to sign with: the issuer was never set up."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """`signers`, `secrets`, `public` hold the usable keys by kid."""

    keys: tuple[Key, ...]
    signers: Mapping[str, Signer] = field(repr=False)
    secrets: Mapping[str, bytes] = field(repr=False)
    public: Mapping[str, PublicKey] = field(repr=False)

    def signer(self, now: int) -> Signer:
        """What signs access tokens now. NoKey."""
        return self.signers[self._signing(Use.ACCESS, now)]

    def refresh_kid(self, now: int) -> str:
        """What signs refresh tokens now. NoKey."""
        return self._signing(Use.REFRESH, now)

    def revoked(self, kid: str) -> bool:
        """Whether this key was compromised."""
        return any(key.kid == kid and key.revoked_at for key in self.keys)

    def jwks(self) -> Mapping[str, object]:
        """RFC 7517 section 5: access keys in overlap, the signing one, those ahead."""
        return {"keys": [self.signers[key.kid].jwk() for key in keyring.published(self.keys)]}

    def _signing(self, use: Use, now: int) -> str:
        key = keyring.signing(self.keys, use, now)
        if key is None:
            msg = f"there is no {use.value} key"
            raise NoKey(msg)
        return key.kid


class KeyMaterial:
    """Prepares keys once and keeps them, whatever happens to their lives."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._signers: dict[str, Signer] = {}
        self._public: dict[str, PublicKey] = {}
        self._secrets: dict[str, bytes] = {}

    def key_set(self, stored: Sequence[StoredKey]) -> KeySet:
        """The set of these rows."""
        usable = [each for each in stored if each.key.usable]
        for each in usable:
            self._prepare(each)
        kids = {each.key.kid for each in usable}
        return KeySet(
            tuple(each.key for each in stored),
            {kid: signer for kid, signer in self._signers.items() if kid in kids},
            {kid: secret for kid, secret in self._secrets.items() if kid in kids},
            {kid: public for kid, public in self._public.items() if kid in kids},
        )

    def _prepare(self, stored: StoredKey) -> None:
        kid = stored.key.kid
        if kid in self._signers or kid in self._secrets:
            return
        secret = self._vault.unwrap(kid, stored.wrapped)
        if stored.key.use is Use.REFRESH:
            self._secrets[kid] = secret
            return
        signer = signing.load(kid, stored.key.algorithm, secret)
        self._public[kid] = from_jwk(signer.jwk(), (signer.algorithm,))
        self._signers[kid] = signer

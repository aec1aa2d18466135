"""Public keys, prepared once: the costly part of checking a signature that is the same for every token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_KEY_TYPES = {**dict.fromkeys(_RSA, "RSA"), **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"), "EdDSA": "OKP"}
_LEAST_RSA_BITS = 2048  # RFC 7518 section 3.3

ALGORITHMS = frozenset(_KEY_TYPES)
"""The signature algorithms that can be configured. None of them is symmetric."""


class UnusableKey(ValueError):
    """A JWK that this verifier does not use; the message says why and quotes nothing of the key."""


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """A key for exactly one algorithm. `check(signed, signature)` tells whether the signature is good; it does not raise."""

    kid: str
    alg: str
    check: Callable[[bytes, bytes], bool]


KeySource = Callable[[str], PublicKey | None]
"""Gives the key of a `kid`, or None."""


def from_jwk(jwk: Mapping[str, object], algorithms: tuple[str, ...]) -> PublicKey:
    """Prepare a public JWK (RFC 7517) for the algorithm that it names, else for the first of `algorithms` that fits its type."""
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not kid:
        raise UnusableKey("the key has no kid")
    if jwk.get("use", "sig") != "sig" or not _may_verify(jwk.get("key_ops", ["verify"])):
        raise UnusableKey("the key is not for signatures")
    if "d" in jwk or "k" in jwk:
        raise UnusableKey("the key is secret, and yet published")
    alg = next((alg for alg in algorithms if jwk.get("alg", alg) == alg and _fits(jwk, alg)), None)
    if alg is None:
        raise UnusableKey("the key is for no algorithm that this verifier accepts")
    try:
        key = PyJWK(dict(jwk), alg)
    except (PyJWTError, ValueError, TypeError):
        raise UnusableKey("the key is malformed") from None  # the cause quotes the key
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < _LEAST_RSA_BITS:
        raise UnusableKey("the key is shorter than 2048 bits")
    algorithm, public = key.Algorithm, key.key

    def check(signed: bytes, signature: bytes) -> bool:
        return bool(algorithm.verify(signed, public, signature))

    return PublicKey(kid, alg, check)


def _fits(jwk: Mapping[str, object], alg: str) -> bool:
    return jwk.get("kty") == _KEY_TYPES.get(alg) and jwk.get("crv") == _CURVES.get(alg)


def _may_verify(operations: object) -> bool:
    return isinstance(operations, list) and "verify" in operations

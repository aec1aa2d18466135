"""Access tokens (RFC 9068) and the key pairs that sign them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import Algorithm, get_default_algorithms

from services.issuer.decisions import base64url

TYPE = "at+jwt"
ALGORITHMS = frozenset({"ES256", "EdDSA", "RS256"})
_RSA_BITS = 2048
_ENCODER = json.JSONEncoder(separators=(",", ":"))

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, prepared once."""

    kid: str
    algorithm: str
    private: PrivateKey = field(repr=False)

    def access_token(self, claims: Mapping[str, object]) -> str:
        """Sign `claims` as a compact JWS of type at+jwt."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": TYPE}
        unsigned = f"{_part(header)}.{_part(claims)}"
        signature = _algorithm(self.algorithm).sign(unsigned.encode(), self.private)
        return f"{unsigned}.{base64url.encode(signature)}"

    def jwk(self) -> Mapping[str, object]:
        """The public half (RFC 7517 section 4)."""
        public = _algorithm(self.algorithm).to_jwk(self.private.public_key(), as_dict=True)
        wanted = {name: value for name, value in public.items() if name in _PUBLIC_MEMBERS}
        return {**wanted, "kid": self.kid, "use": "sig", "alg": self.algorithm}


_PUBLIC_MEMBERS = {"kty", "crv", "x", "y", "n", "e"}


def generate(algorithm: str) -> bytes:
    """A new private key, as PKCS 8 in DER; ValueError for an algorithm that we do not sign with."""
    if algorithm not in ALGORITHMS:
        msg = f"the algorithm is one of {', '.join(sorted(ALGORITHMS))}"
        raise ValueError(msg)
    return _new(algorithm).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load(kid: str, algorithm: str, der: bytes) -> Signer:
    """Prepare a key that `generate` made."""
    private = serialization.load_der_private_key(der, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
        msg = "this key cannot sign"
        raise TypeError(msg)
    return Signer(kid, algorithm, private)


def _new(algorithm: str) -> PrivateKey:
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


@cache
def _algorithm(name: str) -> Algorithm:
    return get_default_algorithms()[name]


def _part(value: Mapping[str, object]) -> str:
    return base64url.encode(_ENCODER.encode(value).encode())

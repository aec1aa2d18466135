"""Signs access tokens for tests, good ones and any kind of bad one."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from rescind.claims import Claims
from rescind.keys import PublicKey, from_jwk

ISS = "https://issuer.example"
AUD = "orders"
NOW = 1_795_000_000

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def private_key(alg: str) -> PrivateKey:
    if alg.startswith("ES"):
        return ec.generate_private_key({"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}[alg])
    return ed25519.Ed25519PrivateKey.generate() if alg == "EdDSA" else rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Signer:
    """One signing key. `jwk` is what the issuer publishes."""

    alg: str = "ES256"
    kid: str = "k1"
    key: PrivateKey = field(default_factory=lambda: private_key("ES256"))

    @classmethod
    def of(cls, alg: str, kid: str = "k1") -> Signer:
        return cls(alg, kid, private_key(alg))

    @property
    def jwk(self) -> dict[str, object]:
        public = get_default_algorithms()[self.alg].to_jwk(self.key.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "alg": self.alg, "use": "sig"}

    @property
    def public(self) -> PublicKey:
        return from_jwk(self.jwk, (self.alg,))

    def token(self, payload: Mapping[str, object] | None = None, **header: object) -> bytes:
        return self.raw(json.dumps(payload or claims()).encode(), **header)

    def raw(self, payload: bytes, **header: object) -> bytes:
        """Sign any bytes. A header set to None is left out."""
        head = {"alg": self.alg, "kid": self.kid, "typ": "at+jwt"} | header
        return self.sign(json.dumps({name: value for name, value in head.items() if value is not None}).encode(), payload)

    def sign(self, head: bytes, payload: bytes) -> bytes:
        signed = b".".join((b64(head), b64(payload)))
        return signed + b"." + b64(get_default_algorithms()[self.alg].sign(signed, self.key))


def b64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def claims(**changes: object) -> dict[str, object]:
    """A good payload. A claim set to None is left out."""
    good: dict[str, object] = {
        "iss": ISS,
        "sub": "ann",
        "aud": AUD,
        "exp": NOW + 900,
        "iat": NOW,
        "jti": "token-1",
        "client_id": "web",
        "sid": "session-1",
        "sn": 7,
        "cv": 3,
        "auth_time": NOW - 100,
        "scope": "read write",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def accepted(*, sn: int = 7, cv: int = 3, auth_time: int = NOW - 100, iat: int = NOW, sid: str | None = "session-1") -> Claims:
    """The claims of a good token, as a verifier has them after its checks."""
    return Claims(
        iss=ISS,
        sub="ann",
        aud=(AUD,),
        exp=NOW + 900,
        iat=iat,
        jti="token-1",
        client_id="web",
        sid=sid,
        sn=sn,
        cv=cv,
        auth_time=auth_time,
        scope=frozenset({"read", "write"}),
        kid="k1",
    )


def with_pyjwt(signer: Signer, payload: Mapping[str, object]) -> bytes:
    """The same token by another hand."""
    return jwt.encode(dict(payload), signer.key, signer.alg, {"kid": signer.kid, "typ": "at+jwt"}).encode()

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from kit.tokens import Signer, claims

from rescind.jose import Jws, parse
from rescind.keys import ALGORITHMS, UnusableKey, from_jwk

ALL = tuple(sorted(ALGORITHMS))
ES256, RS256 = Signer(), Signer.of("RS256")


@pytest.mark.parametrize("alg", ALL)
def test_a_key_checks_its_own_signatures_and_no_others(alg: str) -> None:
    signer, other = Signer.of(alg), Signer.of(alg)
    key = from_jwk(signer.jwk, (alg,))
    jws = parse(signer.token(claims()))
    assert isinstance(jws, Jws)
    assert (key.kid, key.alg) == ("k1", alg)
    assert key.check(jws.signed, jws.signature)
    assert not key.check(jws.signed + b"x", jws.signature)
    assert not key.check(jws.signed, jws.signature[:-1])
    assert not key.check(jws.signed, b"")
    assert not from_jwk(other.jwk, (alg,)).check(jws.signed, jws.signature)


def test_a_signature_of_nothing_but_zeros_is_bad() -> None:
    assert not ES256.public.check(b"anything", bytes(64))


def test_a_key_without_alg_serves_for_the_first_that_fits() -> None:
    nameless = {name: value for name, value in RS256.jwk.items() if name != "alg"}
    assert from_jwk(nameless, ("ES256", "PS256", "RS256")).alg == "PS256"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kid": None}, "no kid"),
        ({"kid": ""}, "no kid"),
        ({"kid": 5}, "no kid"),
        ({"use": "enc"}, "not for signatures"),
        ({"key_ops": ["encrypt"]}, "not for signatures"),
        ({"key_ops": "verify"}, "not for signatures"),
        ({"alg": "ES384"}, "no algorithm"),
        ({"alg": "HS256"}, "no algorithm"),
        ({"alg": "none"}, "no algorithm"),
        ({"kty": "oct"}, "no algorithm"),
        ({"crv": "P-384"}, "no algorithm"),
        ({"crv": "secp256k1"}, "no algorithm"),
        ({"d": "AA"}, "secret"),
        ({"k": "AA"}, "secret"),
        ({"x": "AA"}, "malformed"),
        ({"x": None}, "malformed"),
        ({"x": 5}, "malformed"),
        ({"y": "A" * 43}, "malformed"),
    ],
)
def test_other_keys_are_not_used(change: dict[str, object], why: str) -> None:
    with pytest.raises(UnusableKey, match=why):
        from_jwk(ES256.jwk | change, ("ES256",))


def test_an_algorithm_that_is_not_configured_is_not_used() -> None:
    with pytest.raises(UnusableKey, match="no algorithm"):
        from_jwk(RS256.jwk, ("ES256",))


def test_a_short_rsa_key_is_not_used() -> None:
    short = Signer("RS256", "k1", rsa.generate_private_key(65537, 1024))  # noqa: S505  (the point)
    with pytest.raises(UnusableKey, match="2048"):
        from_jwk(short.jwk, ("RS256",))


def test_no_symmetric_algorithm_can_be_configured() -> None:
    assert not {alg for alg in ALGORITHMS if alg.startswith("HS") or alg.lower() == "none"}

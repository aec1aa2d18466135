"""Whatever arrives: an answer, never an exception; and nothing but the very bytes that were signed is accepted."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from kit.tokens import AUD, ISS, NOW, Signer, b64, claims

from rescind.access_token import Rules, check_access_token
from rescind.claims import Claims, check_claims
from rescind.errors import Denied
from rescind.jwks import read_key_set
from rescind.keys import UnusableKey, from_jwk

SIGNER = Signer()
RULES = {ISS: Rules(iss=ISS, keys={"k1": SIGNER.public}.get, algorithms=frozenset({"ES256"}))}
GOOD = SIGNER.token()
SIGNERS = {"ES256": SIGNER, "EdDSA": Signer.of("EdDSA"), "RS256": Signer.of("RS256")}
JWK_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "d", "k", "kid", "alg", "use", "key_ops", "x5c")

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3))
names = st.sampled_from([*claims(), "nbf", "scp", "azp", "typ", "other"])


def check(token: bytes) -> Claims | Denied:
    return check_access_token(token, RULES, audience=frozenset({AUD}), now_s=NOW)


@given(st.binary(max_size=200))
def test_any_bytes(token: bytes) -> None:
    assert isinstance(check(token), Denied)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_any_other_byte(at: int, flip: int) -> None:
    assert isinstance(check(GOOD[:at] + bytes([GOOD[at] ^ flip]) + GOOD[at + 1 :]), Denied)


@given(st.binary(max_size=40), st.binary(max_size=80), st.binary(max_size=80))
def test_any_segments(head: bytes, body: bytes, signature: bytes) -> None:
    assert isinstance(check(b".".join(map(b64, (head, body, signature)))), Denied)


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "cty", "crit", "jwk", "x5t"]), values, max_size=5))
def test_any_header(changes: dict[str, object]) -> None:
    head = json.dumps({"alg": "ES256", "kid": "k1", "typ": "at+jwt"} | changes).encode()
    check(SIGNER.sign(head, json.dumps(claims()).encode()))


@given(st.dictionaries(names, values, max_size=4))
def test_any_claims(changes: dict[str, object]) -> None:
    for own in (True, False):
        answer = check_claims(claims() | changes, issuer=ISS, audience=frozenset({AUD}), now_s=NOW, own=own)
        if isinstance(answer, Claims):
            assert isinstance(answer.exp, int)
            assert answer.iat < answer.exp
            assert answer.exp > NOW - 30
            assert answer.sub
            assert AUD in answer.aud


@given(st.sampled_from(sorted(SIGNERS)), st.dictionaries(st.sampled_from(JWK_MEMBERS), values, max_size=3))
def test_any_published_key(alg: str, changes: dict[str, object]) -> None:
    try:
        key = from_jwk(SIGNERS[alg].jwk | changes, ("ES256", "EdDSA", "RS256", "PS256"))
    except UnusableKey:
        return
    assert key.alg in ("ES256", "EdDSA", "RS256", "PS256")
    assert not key.check(b"anything", b"anything")


@given(values)
def test_any_key_set(value: object) -> None:
    for data in (json.dumps(value), json.dumps({"keys": value}), json.dumps({"keys": [value]})):
        try:
            keys = read_key_set(data.encode(), ("ES256",))
        except ValueError:
            continue
        assert keys == {}

from __future__ import annotations

import json

import pytest
from kit.tokens import Signer, b64, claims

from rescind.errors import Denial, Denied
from rescind.jose import Jws, parse, read_object

SIGNER = Signer()
GOOD = SIGNER.token()
HEAD, BODY, SIGNATURE = GOOD.split(b".")


def test_a_good_token_comes_apart() -> None:
    jws = parse(GOOD)
    assert isinstance(jws, Jws)
    assert (jws.header.alg, jws.header.kid, jws.header.typ) == ("ES256", "k1", "at+jwt")
    assert jws.payload == claims()
    assert jws.signed == HEAD + b"." + BODY
    assert len(jws.signature) == 64


def test_the_media_type_may_be_written_in_full() -> None:
    jws = parse(SIGNER.token(typ="application/AT+JWT"))
    assert isinstance(jws, Jws)
    assert jws.header.typ == "at+jwt"


def spare_bits(segment: bytes) -> bytes:
    """Set a bit that the decoder of a lenient library throws away."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(segment) % 4 in {2, 3}
    return segment[:-1] + bytes([alphabet[alphabet.index(segment[-1]) | 1]])


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b".",
        b"..",
        b"a.b.c",
        HEAD,
        HEAD + b"." + BODY,
        HEAD + b"." + BODY + b".",
        HEAD + b".." + SIGNATURE,
        b"." + BODY + b"." + SIGNATURE,
        GOOD + b".",
        GOOD + b".e30",
        GOOD + b"==",
        GOOD + b"=",
        GOOD + b"\n",
        b" " + GOOD,
        GOOD.replace(b".", b"..", 1),
        HEAD + b"=." + BODY + b"." + SIGNATURE,
        HEAD + b"." + BODY + b"." + spare_bits(SIGNATURE),
        HEAD + b"." + BODY + b"." + SIGNATURE[:-1] + b"+",
        HEAD + b"." + BODY + b"." + SIGNATURE[:-1] + b"/",
        HEAD + b"." + BODY + b"." + SIGNATURE[:40] + b"\n" + SIGNATURE[40:],
        HEAD + b"." + BODY + b"." + SIGNATURE[:40] + b"\xc3\xa9" + SIGNATURE[40:],
        GOOD.decode().encode("utf-16"),
        b"\xff" * 100,
        b"x" * 8193,
        SIGNER.raw(b"x" * 8000),
    ],
)
def test_any_other_spelling_is_refused(token: bytes) -> None:
    denied = parse(token)
    assert isinstance(denied, Denied)
    assert denied.reason is Denial.MALFORMED


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"{}{}",
        b'{"exp":NaN}',
        b'{"exp":Infinity}',
        b'{"exp":-Infinity}',
        b'{"exp":1e999}',
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        json.dumps(claims()).encode("utf-16"),
        json.dumps(claims()).encode("utf-32"),
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"1" * 5000 + b"}",
        b"{'a':1}",
        b'{"a":1,}',
    ],
)
def test_json_that_readers_understand_differently_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (each of them is of another kind)
        read_object(payload)
    for token in (SIGNER.raw(payload), SIGNER.sign(payload, b"{}")):
        denied = parse(token)
        assert isinstance(denied, Denied)
        assert denied.reason is Denial.MALFORMED


@pytest.mark.parametrize("header", [{"alg": 5}, {"alg": None}, {"kid": 5}, {"kid": ["k1"]}, {"typ": 5}, {"typ": {}}])
def test_a_header_of_other_types_is_refused(header: dict[str, object]) -> None:
    head = json.dumps({"alg": "ES256", "kid": "k1", "typ": "at+jwt"} | header).encode()
    denied = parse(b".".join((b64(head), BODY, SIGNATURE)))
    assert isinstance(denied, Denied)
    assert denied.reason is Denial.MALFORMED


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://attacker.example/jwks.json"},
        {"x5u": "https://attacker.example/cert"},
        {"x5c": ["MIIB"]},
        {"jwk": SIGNER.jwk},
        {"crit": []},
        {"crit": ["exp"], "exp": 1},
        {"b64": True},
        {"zip": "DEF"},
        {"jku": None},
    ],
)
def test_a_header_that_brings_its_own_key_or_rules_is_refused(header: dict[str, object]) -> None:
    head = json.dumps({"alg": "ES256", "kid": "k1", "typ": "at+jwt"} | header).encode()
    denied = parse(SIGNER.sign(head, json.dumps(claims()).encode()))
    assert isinstance(denied, Denied)
    assert denied.reason is Denial.UNSUPPORTED_ALGORITHM


def test_a_refusal_quotes_nothing() -> None:
    denied = parse(b"secret." * 2 + b"secret")
    assert isinstance(denied, Denied)
    assert "secret" not in denied.detail

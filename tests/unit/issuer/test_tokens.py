import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from services.issuer.decisions import base64url, tokens
from services.issuer.decisions.tokens import RefreshToken
from services.issuer.errors import InvalidToken

ISS = "https://id.example"
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SECRET = b"s" * 32
TOKEN = RefreshToken(iss=ISS, sid="ab" * 16, generation=3, iat=1_800_000_000, exp=1_800_600_000, kid="key-1")
TEXT = tokens.write(TOKEN, KEY, SECRET)


def key_of(kid: str) -> bytes | None:
    return KEY if kid == "key-1" else None


def test_what_is_written_is_read_and_genuine() -> None:
    assert tokens.read(TEXT, key_of, iss=ISS) == TOKEN
    assert tokens.is_signed(TEXT, KEY, SECRET)


def test_the_same_fields_give_the_same_bytes() -> None:
    assert tokens.write(replace(TOKEN), KEY, SECRET) == TEXT


def test_front_ends_can_read_when_it_ends() -> None:
    header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in TEXT.split(".")[:2])
    assert header == {"alg": "HS256", "kid": "key-1", "typ": "rt+jwt"}
    assert (payload["exp"], payload["iat"]) == (TOKEN.exp, TOKEN.iat)


@pytest.mark.parametrize(
    "other",
    [
        replace(TOKEN, sid="ac" * 16),
        replace(TOKEN, generation=4),
        replace(TOKEN, iss="https://other.example"),
        replace(TOKEN, iat=1_800_000_001),
        replace(TOKEN, exp=1_900_000_000),
    ],
)
def test_every_field_is_under_both_macs(other: RefreshToken) -> None:
    forged = tokens.write(other, OTHER_KEY, SECRET)
    with pytest.raises(InvalidToken):
        tokens.read(forged, key_of, iss=ISS)


def test_neither_the_key_nor_the_secret_alone_mints() -> None:
    without_secret = tokens.write(TOKEN, KEY, b"guessed")
    assert tokens.read(without_secret, key_of, iss=ISS) == TOKEN  # the outer MAC is good, and no query was needed to know
    assert not tokens.is_signed(without_secret, KEY, SECRET)
    assert not tokens.is_signed(tokens.write(TOKEN, OTHER_KEY, SECRET), KEY, SECRET)


def test_a_signature_with_the_wrong_key_is_found_once_the_secret_is_known() -> None:
    forged = signed_with(b"", parts()[0], parts()[1])
    assert tokens.read(forged, key_of, iss=ISS) == TOKEN
    assert not tokens.is_signed(forged, KEY, SECRET)


def test_another_issuers_token_is_refused() -> None:
    with pytest.raises(InvalidToken):
        tokens.read(TEXT, key_of, iss="https://other.example")


def parts() -> tuple[str, str, str]:
    header, payload, signature = TEXT.split(".")
    return header, payload, signature


def with_header(**members: object) -> str:
    return base64url.encode(json.dumps({"alg": "HS256", "kid": "key-1", "typ": "rt+jwt"} | members).encode())


def with_payload(change: Callable[[dict[str, object]], dict[str, object]]) -> str:
    claims = json.loads(base64url.decode(parts()[1]))
    return base64url.encode(json.dumps(change(claims), separators=(",", ":"), sort_keys=True).encode())


def doubled() -> str:
    claims = base64url.decode(parts()[1])
    return base64url.encode(claims[:-1] + b"," + claims[1:])


def signed_with(key: bytes, header: str, payload: str) -> str:
    unsigned = f"{header}.{payload}"
    return f"{unsigned}.{base64url.encode(hmac.digest(key, unsigned.encode(), sha256))}"


ATTACKS = {
    "empty": "",
    "dots": "..",
    "no signature": ".".join(parts()[:2]) + ".",
    "padding": TEXT + "=",
    "newline": TEXT + "\n",
    "space": " " + TEXT,
    "fourth part": TEXT + ".x",
    "long": "a" * 9000,
    "not base64": "!" + TEXT[1:],
    "null byte": TEXT[:50] + "\0" + TEXT[51:],
    "not ascii": TEXT[:50] + "é" + TEXT[51:],
    "alg none": f"{with_header(alg='none')}.{parts()[1]}.",
    "alg none, signature kept": f"{with_header(alg='none')}.{parts()[1]}.{parts()[2]}",
    "access token's type": f"{with_header(typ='at+jwt')}.{parts()[1]}.{parts()[2]}",
    "unknown kid": f"{with_header(kid='key-2')}.{parts()[1]}.{parts()[2]}",
    "kid as a path": f"{with_header(kid='../../dev/null')}.{parts()[1]}.{parts()[2]}",
    "kid as SQL": signed_with(b"", with_header(kid="x' OR '1'='1"), parts()[1]),
    "foreign key in the header": f"{with_header(jwk={'kty': 'oct', 'k': 'AAAA'})}.{parts()[1]}.{parts()[2]}",
    "header with spaces": f"{with_header()}.{parts()[1]}.{parts()[2]}",
    "signed with the outer key alone, next generation": signed_with(KEY, parts()[0], with_payload(lambda c: c | {"gen": 4})),
    "generation as text": f"{parts()[0]}.{with_payload(lambda c: c | {'gen': '3'})}.{parts()[2]}",
    "generation true": f"{parts()[0]}.{with_payload(lambda c: c | {'gen': True})}.{parts()[2]}",
    "generation negative": f"{parts()[0]}.{with_payload(lambda c: c | {'gen': -1})}.{parts()[2]}",
    "expiry as a float": f"{parts()[0]}.{with_payload(lambda c: c | {'exp': 1.8e9})}.{parts()[2]}",
    "expiry huge": f"{parts()[0]}.{with_payload(lambda c: c | {'exp': 10**400})}.{parts()[2]}",
    "one claim more": f"{parts()[0]}.{with_payload(lambda c: c | {'admin': True})}.{parts()[2]}",
    "one claim less": f"{parts()[0]}.{with_payload(lambda c: {k: v for k, v in c.items() if k != 'iat'})}.{parts()[2]}",
    "sid of another shape": f"{parts()[0]}.{with_payload(lambda c: c | {'sid': 'x'})}.{parts()[2]}",
    "a list": f"{parts()[0]}.{base64url.encode(b'[1]')}.{parts()[2]}",
    "double member": f"{parts()[0]}.{doubled()}.{parts()[2]}",
    "nested": f"{parts()[0]}.{base64url.encode(b'[' * 400)}.{parts()[2]}",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_rubbish_is_refused_before_any_query(attack: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        tokens.read(attack, key_of, iss=ISS)
    assert attack[:20] not in str(caught.value) or not attack


@pytest.mark.parametrize("position", range(len(TEXT)))
def test_every_character_counts(position: int) -> None:
    """Also the spare bits of the last character of a part: one token has one spelling."""
    for other in "AQgw_-09az":
        if other == TEXT[position]:
            continue
        changed = TEXT[:position] + other + TEXT[position + 1 :]
        try:
            tokens.read(changed, key_of, iss=ISS)
        except InvalidToken:
            continue
        assert not tokens.is_signed(changed, KEY, SECRET)


def test_the_kind_of_a_token_is_told_by_its_header() -> None:
    assert tokens.looks_like_refresh(TEXT)
    assert not tokens.looks_like_refresh(f"{with_header(typ='at+jwt')}.{parts()[1]}.{parts()[2]}")
    assert not tokens.looks_like_refresh("rubbish")

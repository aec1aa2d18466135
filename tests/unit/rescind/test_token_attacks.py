"""The catalogue of attacks on a token: all refused, each for its own reason, none with an exception."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives import serialization
from kit.tokens import AUD, ISS, NOW, Signer, b64, claims, private_key, with_pyjwt

from rescind.access_token import Rules, check_access_token
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.keys import PublicKey

SIGNER = Signer()
RSA = Signer.of("RS256", "rsa")
OTHER = Signer.of("RS256", "k1")
KEYCLOAK = "https://login.example/realms/shop"
KEYS: Mapping[str, PublicKey] = {"k1": SIGNER.public, "rsa": RSA.public}
FOREIGN: Mapping[str, PublicKey] = {"k1": OTHER.public}
RULES = {
    ISS: Rules(iss=ISS, keys=KEYS.get, algorithms=frozenset({"ES256"})),
    KEYCLOAK: Rules(iss=KEYCLOAK, keys=FOREIGN.get, algorithms=frozenset({"RS256"}), typ="jwt", own=False),
}
GOOD = SIGNER.token()


def check(token: bytes) -> Claims | Denied:
    return check_access_token(token, RULES, audience=frozenset({AUD}), now_s=NOW)


def reason(token: bytes) -> Denial | None:
    answer = check(token)
    return answer.reason if isinstance(answer, Denied) else None


def of_hmac(secret: bytes, alg: str = "HS256") -> bytes:
    signed = b64(json.dumps({"alg": alg, "kid": "k1", "typ": "at+jwt"}).encode()) + b"." + b64(json.dumps(claims()).encode())
    return signed + b"." + b64(hmac.digest(secret, signed, hashlib.sha256))


def public_pem(signer: Signer) -> bytes:
    return signer.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def swapped(token: bytes, payload: Mapping[str, object]) -> bytes:
    head, _, signature = token.split(b".")
    return b".".join((head, b64(json.dumps(payload).encode()), signature))


def under(alg: str) -> bytes:
    return GOOD.replace(GOOD.split(b".")[0], b64(json.dumps({"alg": alg, "kid": "k1", "typ": "at+jwt"}).encode()))


def test_good_tokens_pass_whoever_wrote_them() -> None:
    assert isinstance(check(GOOD), Claims)
    assert isinstance(check(with_pyjwt(SIGNER, claims())), Claims)
    assert isinstance(check(OTHER.token(claims(iss=KEYCLOAK, typ="Bearer"), typ="JWT")), Claims)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        # the signature
        (swapped(GOOD, claims(sub="root")), Denial.BAD_SIGNATURE),
        (Signer().token(), Denial.BAD_SIGNATURE),
        (GOOD.rpartition(b".")[0] + b"." + b64(bytes(64)), Denial.BAD_SIGNATURE),
        (GOOD.rpartition(b".")[0] + b"." + b64(b"\xff" * 64), Denial.BAD_SIGNATURE),
        (GOOD.rpartition(b".")[0] + b"." + b64(b"0" * 70), Denial.BAD_SIGNATURE),
        (GOOD.rpartition(b".")[0] + b".", Denial.MALFORMED),
        (GOOD + b"=", Denial.MALFORMED),
        (GOOD + b"==", Denial.MALFORMED),
        # the algorithm
        *[(under(alg), Denial.UNSUPPORTED_ALGORITHM) for alg in ("none", "None", "NONE", "nOnE", "", "ES384", "RS256", "ES256 ")],
        (of_hmac(public_pem(SIGNER)), Denial.UNSUPPORTED_ALGORITHM),
        (of_hmac(public_pem(RSA), "HS512"), Denial.UNSUPPORTED_ALGORITHM),
        (of_hmac(b""), Denial.UNSUPPORTED_ALGORITHM),
        (RSA.token(), Denial.UNSUPPORTED_ALGORITHM),
        (SIGNER.raw(json.dumps(claims()).encode(), kid="rsa"), Denial.UNSUPPORTED_ALGORITHM),
        # the key
        *[(SIGNER.token(kid=kid), Denial.UNKNOWN_KEY) for kid in ("k2", "", "../../dev/null", "' OR 1=1 --", None)],
        (SIGNER.token(jwk=SIGNER.jwk), Denial.UNSUPPORTED_ALGORITHM),
        (SIGNER.token(jku="https://attacker.example/jwks.json"), Denial.UNSUPPORTED_ALGORITHM),
        (SIGNER.token(crit=["exp"]), Denial.UNSUPPORTED_ALGORITHM),
        # the kind of token
        *[(SIGNER.token(typ=typ), Denial.WRONG_TYPE) for typ in ("rt+jwt", "JWT", "jwt", "", None, "secevent+jwt", "logout+jwt")],
        (OTHER.token(claims(iss=KEYCLOAK), typ="at+jwt"), Denial.WRONG_TYPE),
        (OTHER.token(claims(iss=KEYCLOAK, typ="ID"), typ="JWT"), Denial.INVALID_CLAIMS),
        # whose, for whom, when
        (SIGNER.token(claims(iss="https://issuer.example.attacker.example")), Denial.WRONG_ISSUER),
        (SIGNER.token(claims(iss=None)), Denial.WRONG_ISSUER),
        (SIGNER.token(claims(iss=[ISS])), Denial.WRONG_ISSUER),
        (SIGNER.token(claims(iss=KEYCLOAK), typ="JWT"), Denial.UNSUPPORTED_ALGORITHM),
        (OTHER.token(claims(), typ="at+jwt"), Denial.UNSUPPORTED_ALGORITHM),
        (SIGNER.token(claims(aud="billing")), Denial.WRONG_AUDIENCE),
        (SIGNER.token(claims(aud=ISS)), Denial.WRONG_AUDIENCE),
        (SIGNER.token(claims(exp=NOW - 30, iat=NOW - 900)), Denial.EXPIRED),
        (SIGNER.token(claims(nbf=NOW + 60)), Denial.NOT_YET_VALID),
        (SIGNER.token(claims(iat=NOW + 60)), Denial.NOT_YET_VALID),
        (SIGNER.token(claims(exp=NOW + 86_401)), Denial.INVALID_CLAIMS),
        # what readers understand differently
        (SIGNER.raw(json.dumps(claims()).replace('"sub": "ann"', '"sub": "ann", "sub": "root"').encode()), Denial.MALFORMED),
        (SIGNER.raw(json.dumps(claims()).replace(f'"exp": {NOW + 900}', '"exp": 1e999').encode()), Denial.MALFORMED),
        (SIGNER.raw(b"\xef\xbb\xbf" + json.dumps(claims()).encode()), Denial.MALFORMED),
        (SIGNER.token(claims(exp="9999999999")), Denial.INVALID_CLAIMS),
        (SIGNER.token(claims(exp=" ٩٩٩٩٩٩٩٩٩٩")), Denial.INVALID_CLAIMS),
        (SIGNER.token(claims(exp=10**400)), Denial.INVALID_CLAIMS),
        (SIGNER.token(claims(exp=True)), Denial.INVALID_CLAIMS),
        (SIGNER.token(claims(sub="")), Denial.INVALID_CLAIMS),
        (SIGNER.token(claims(jti="")), Denial.INVALID_CLAIMS),
        (SIGNER.token(claims(jti="j" * 5000)), Denial.INVALID_CLAIMS),
        (SIGNER.token(claims(sub="\ud800")), Denial.INVALID_CLAIMS),
        (SIGNER.token(claims(sid="session-1", sn=None)), Denial.INVALID_CLAIMS),
        (SIGNER.token(claims(jti="j" * 1_000_000)), Denial.MALFORMED),
        # other kinds of JOSE
        (b".".join([GOOD.split(b".")[0]] * 5), Denial.MALFORMED),
        (json.dumps({"payload": "e30", "signatures": []}).encode(), Denial.MALFORMED),
    ],
)
def test_refused(token: bytes, expected: Denial) -> None:
    assert reason(token) is expected


def test_an_issuer_cannot_be_asked_for_another_issuers_key() -> None:
    """Both issuers have a key `k1`; each counts for its own tokens only."""
    assert reason(SIGNER.token(claims(iss=KEYCLOAK), typ="JWT")) is not None
    wide = {iss: Rules(iss=iss, keys=rules.keys, algorithms=frozenset({"ES256", "RS256"})) for iss, rules in RULES.items()}
    for token in (SIGNER.token(claims(iss=KEYCLOAK)), OTHER.token(claims())):
        answer = check_access_token(token, wide, audience=frozenset({AUD}), now_s=NOW)
        assert isinstance(answer, Denied)
        assert answer.reason is Denial.UNSUPPORTED_ALGORITHM


def test_a_key_of_the_same_algorithm_from_another_issuer_does_not_sign_for_ours() -> None:
    stranger = Signer("ES256", "k1", private_key("ES256"))
    strangers: Mapping[str, PublicKey] = {"k1": stranger.public}
    rules = {**RULES, "https://b.example": Rules(iss="https://b.example", keys=strangers.get, algorithms=frozenset({"ES256"}))}
    answer = check_access_token(stranger.token(), rules, audience=frozenset({AUD}), now_s=NOW)
    assert isinstance(answer, Denied)
    assert answer.reason is Denial.BAD_SIGNATURE

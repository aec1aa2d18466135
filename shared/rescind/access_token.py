"""Is this an access token of one of our issuers, at this moment? Signature and claims; the revocation list comes after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rescind.claims import Claims, check_claims
from rescind.errors import Denial, Denied
from rescind.jose import Jws, parse
from rescind.keys import KeySource


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the tokens of one issuer must be; all of it from configuration, nothing from the token.

    `typ` in lower case. `own`: Rescind's issuer (RFC 9068 to the letter); else another one. `max_life` in seconds.
    """

    iss: str
    keys: KeySource
    algorithms: frozenset[str]
    typ: str = "at+jwt"
    own: bool = True
    max_life: int = 86_400


def check_access_token(
    token: bytes, rules: Mapping[str, Rules], *, audience: frozenset[str], now_s: float, leeway: int = 30
) -> Claims | Denied:
    """Check a token by the rules of the issuer that it names; `rules` are keyed by `iss`, `leeway` is seconds."""
    jws = parse(token)
    if isinstance(jws, Denied):
        return jws
    iss = jws.payload.get("iss")
    issuer = rules.get(iss) if isinstance(iss, str) else None
    if issuer is None:
        return Denied(Denial.WRONG_ISSUER, "the token is from an issuer that this verifier does not trust")
    unproven = _check_signature(jws, issuer)
    if unproven is not None:
        return unproven
    return check_claims(
        jws.payload,
        issuer=issuer.iss,
        audience=audience,
        now_s=now_s,
        leeway=leeway,
        max_life=issuer.max_life,
        own=issuer.own,
        kid=jws.header.kid,
    )


def _check_signature(jws: Jws, issuer: Rules) -> Denied | None:
    header = jws.header
    if header.typ != issuer.typ:
        return Denied(Denial.WRONG_TYPE, "this is no access token")
    if header.alg not in issuer.algorithms:
        return Denied(Denial.UNSUPPORTED_ALGORITHM, "the issuer does not sign with this algorithm")
    key = issuer.keys(header.kid)
    if key is None:
        return Denied(Denial.UNKNOWN_KEY, "the issuer publishes no such key")
    if key.alg != header.alg:
        return Denied(Denial.UNSUPPORTED_ALGORITHM, "the key is for another algorithm")
    if not key.check(jws.signed, jws.signature):
        return Denied(Denial.BAD_SIGNATURE, "the signature does not fit")
    return None

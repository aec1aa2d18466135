"""Whose tokens a verifier accepts: configuration, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from rescind.keys import ALGORITHMS, KeySource


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One trusted issuer. Only `iss` is needed for Rescind's own; for another one set `own=False`, `jwks_url` and mostly `typ`.

    `jwks_url`: where its keys are; by default `{iss}/.well-known/jwks.json`. `keys`: a key source to use instead.
    `algorithms`: those it may sign with; a key without `alg` serves for the first that fits. `typ`: the header that marks its
    access tokens, `at+jwt` (RFC 9068) or, for Keycloak and most others, `JWT`. `max_life`: seconds; longer tokens are refused.
    """

    iss: str
    jwks_url: str = ""
    keys: KeySource | None = None
    algorithms: tuple[str, ...] = ("ES256", "EdDSA", "RS256")
    typ: str = "at+jwt"
    own: bool = True
    max_life: int = 86_400

    def __post_init__(self) -> None:
        if not self.iss:
            raise ValueError("an issuer is named by its iss")
        if not self.algorithms or not ALGORITHMS.issuperset(self.algorithms):
            msg = f"algorithms are some of {', '.join(sorted(ALGORITHMS))}"
            raise ValueError(msg)
        if self.keys is None and urlsplit(self.keys_url).scheme not in {"http", "https"}:
            raise ValueError("an issuer whose iss is no URL needs a jwks_url")

    @property
    def keys_url(self) -> str:
        """Where the keys are."""
        return self.jwks_url or f"{self.iss.rstrip('/')}/.well-known/jwks.json"


def read_issuers(issuers: str | Issuer | Sequence[str | Issuer]) -> tuple[Issuer, ...]:
    """Take one or several issuers, a `str` standing for Rescind's own; ValueError if there is none or one stands twice."""
    given = [issuers] if isinstance(issuers, str | Issuer) else issuers
    found = tuple(Issuer(iss=one) if isinstance(one, str) else one for one in given)
    if not found or len({one.iss for one in found}) != len(found):
        raise ValueError("name at least one issuer, and each of them once")
    return found

"""Access tokens checked by a service that is not their issuer: with the issuer's published keys and a live revocation list."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from eventlog.certificates import certificate_trouble
from rescind.access_token import Rules, check_access_token
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.http_keys import fetch_key_set
from rescind.jwks import RemoteKeys
from services.times import Now

ALGORITHMS = ("ES256", "EdDSA", "RS256")

_LOOK_S = 2.0
_NO_KEYS = Denied(Denial.NOT_READY, "the issuer's keys are not loaded yet")


class RemoteAccess:
    """`check` is for `services.access.Access`, `run` is a loop, `ready` is for /readyz.

    `judge` is the verdict of the revocation list on good claims. One issuer's tokens count: theirs are all the scopes.
    """

    def __init__(self, iss: str, keys: RemoteKeys, *, audience: str, judge: Callable[[Claims], Denied | None], now: Now) -> None:
        self._keys = keys
        self._rules = {iss: Rules(iss=iss, keys=keys, algorithms=frozenset(ALGORITHMS))}
        self._audience = frozenset([audience])
        self._judge = judge
        self._now = now

    def check(self, token: str) -> Claims | Denied:
        """Judge an access token now. `not_ready` and `stale` mean that the caller should come again."""
        claims = check_access_token(
            token.encode(errors="replace"), self._rules, audience=self._audience, now_s=self._now() / 1000
        )
        if isinstance(claims, Denied):
            return claims if claims.reason is not Denial.UNKNOWN_KEY or self._keys.loaded else _NO_KEYS
        return self._judge(claims) or claims

    def run(self, stop: threading.Event) -> None:
        """Keep the keys fresh, so that requests need not wait for the issuer."""
        while not stop.is_set():
            self._keys.renew()
            stop.wait(_LOOK_S)

    def ready(self) -> Mapping[str, str]:
        """Empty, or that the keys are missing, and why."""
        return {} if self._keys.loaded else {"issuer keys": f"The issuer's keys are not here yet: {key_trouble(self._keys)}."}


def key_trouble(keys: RemoteKeys) -> str:
    """Why the last attempt to fetch them failed; quotes nothing of the answer."""
    failure = keys.failure
    if failure is None:
        return "they are being asked for"
    return f"the issuer {certificate_trouble(str(failure)) or _words(failure)}"


def _words(failure: Exception) -> str:
    if isinstance(failure, TimeoutError):
        return "does not answer in time"
    return "answers with something else" if isinstance(failure, ValueError) else "cannot be reached, or does not serve"


def issuer_keys(url: str, tls: ssl.SSLContext | None = None) -> RemoteKeys:
    """The keys that the issuer at this base URL publishes."""
    fetch = partial(fetch_key_set, f"{url.rstrip('/')}/.well-known/jwks.json", tls)
    return RemoteKeys(fetch, algorithms=ALGORITHMS, clock=time.monotonic)

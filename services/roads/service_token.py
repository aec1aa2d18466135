"""The access token of a service's own OAuth client (RFC 6749 section 4.4): asked for when needed, renewed early, never shown."""

from __future__ import annotations

import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote_plus, urlencode

from eventlog.errors import EventLogError
from services.roads.several import Sends

_TOKEN = re.compile("[A-Za-z0-9._~+/-]{1,8192}=*")  # RFC 6750 section 2.1
_RETRY_S = 30.0
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Granted:
    """A token and for how many seconds it is good."""

    token: str = field(repr=False)
    expires_in: int


class ServiceToken:
    """Any thread may call it. `ask` gets a token: from the issuer by HTTP, or signed in this process where its keys are here.

    It is asked again after half the token's life, so that an issuer may be away for the other half. `clock` in seconds.
    """

    def __init__(self, ask: Callable[[], Granted], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._held = ""
        self._renew_at = self._expires_at = float("-inf")

    def current(self) -> str:
        """A token that is good now. EventLogError when there is none and none can be had."""
        with self._lock:
            now = self._clock()
            if now >= self._renew_at:
                self._renew(now)
            return self._held

    def refused(self, token: str) -> None:
        """A service did not accept this token: ask for another one at the next call."""
        with self._lock:
            if token == self._held:
                self._renew_at = float("-inf")

    def _renew(self, now: float) -> None:
        try:
            granted = self._ask()
        except EventLogError:
            if now >= self._expires_at:
                raise
            self._renew_at = min(now + _RETRY_S, self._expires_at)  # until then the old one serves
            return
        self._held = granted.token
        self._renew_at, self._expires_at = now + granted.expires_in / 2, now + granted.expires_in


def ask_issuer(issuer: Sends, client_id: str, secret: str, scope: str) -> Granted:
    """`POST /oauth/token` with the client's own credential, in a header. NoAnswer."""
    basic = b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()  # RFC 6749 section 2.3.1
    form = urlencode({"grant_type": "client_credentials", "scope": scope}).encode()
    answer = issuer.send("POST", "/oauth/token", headers={**_FORM, "Authorization": f"Basic {basic}"}, content=form)
    said = answer.expect(HTTPStatus.OK)
    token, kind, life = said.get("access_token"), said.get("token_type"), said.get("expires_in")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise answer.unreadable("no bearer token")
    if type(life) is not int or life < 1:
        raise answer.unreadable("a token without a life")
    return Granted(token, life)

"""People at work on a cluster: they sign in, refresh, log out and are revoked, a bounded number of times a second."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from kit.installation import Pair

from rescind.freshness import boot_clock

_PASSWORD = "correct horse battery staple"
_PAUSE_S = 0.2
_TIMEOUT_S = 15.0


@dataclass
class Load:
    """`failures`: what was not answered with a 2xx. `on_end(access, at)` hears of every session whose end was acknowledged.

    `issuer` and `revocation` are base URLs, `admin` the headers of a client that may do everything. `patient` people present
    a refresh token again until it is answered, and take a 503 for what it says; `unanswered` counts what broke off under way.
    """

    issuer: str
    revocation: str
    admin: dict[str, str]
    on_end: Callable[[str, float], None] = lambda _access, _at: None
    patient: bool = False
    unanswered: int = 0
    logged_out: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    cycles: int = 0
    alive: list[Pair] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def work(self, nth: int) -> None:
        """One person, until stopped. Every other session logs out, the rest are revoked; the last one stays."""
        with httpx.Client(timeout=_TIMEOUT_S) as http:
            name = f"worker-{nth}-{uuid.uuid4().hex[:8]}"
            self._answer(http.post(f"{self.issuer}/v1/subjects", json=_person(name), headers=self.admin))
            while not self.stop.wait(_PAUSE_S):
                try:
                    self._cycle(http, name, revoke=bool((self.cycles + nth) % 2))
                except httpx.TransportError as error:
                    self._note(error)
                except httpx.HTTPStatusError as error:
                    if not self._may_wait(error.response):
                        self.failures.append(f"{type(error).__name__}: {error}")
            self.alive.append(self._refreshed(http, self._signed_in(http, name)))

    def _note(self, error: httpx.TransportError) -> None:
        """A connection that broke is no answer: whoever is patient has to do with that."""
        self.unanswered += 1
        if not self.patient:
            self.failures.append(f"{type(error).__name__}: {error}")

    def _cycle(self, http: httpx.Client, name: str, *, revoke: bool) -> None:
        pair = self._refreshed(http, self._signed_in(http, name))
        if revoke:
            headers = {"Authorization": f"Bearer {pair.access}"}
            sessions = self._answer(http.get(f"{self.issuer}/api/sessions", headers=headers)).json()["sessions"]
            sid = next(each["sid"] for each in sessions if each["current"])
            body = {"target": {"type": "session", "id": sid}, "reason": "admin"}
            self._answer(http.post(f"{self.revocation}/v1/revocations", json=body, headers=self.admin))
        else:
            self._answer(http.post(f"{self.issuer}/api/token/logout/", json={"refresh": pair.refresh}))
            self.logged_out.append(pair.access)
        self.on_end(pair.access, boot_clock())
        self.cycles += 1

    def _signed_in(self, http: httpx.Client, name: str) -> Pair:
        return _pair(self._answer(http.post(f"{self.issuer}/api/token/", json=_person(name))))

    def _refreshed(self, http: httpx.Client, pair: Pair) -> Pair:
        while True:
            try:
                answer = http.post(f"{self.issuer}/api/token/refresh/", json={"refresh": pair.refresh})
            except httpx.TransportError:
                self.unanswered += 1
                if not self.patient:
                    raise
            else:
                if not self._may_wait(answer):
                    return _pair(self._answer(answer))

    def _may_wait(self, answer: httpx.Response) -> bool:
        return self.patient and answer.status_code == httpx.codes.SERVICE_UNAVAILABLE

    def _answer(self, answer: httpx.Response) -> httpx.Response:
        return answer.raise_for_status()


@contextmanager
def working(load: Load, people: int = 3) -> Iterator[Load]:
    """While the block runs. Whoever is in the middle of something then finishes it."""
    threads: Sequence[threading.Thread] = [threading.Thread(target=load.work, args=(nth,), daemon=True) for nth in range(people)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        for thread in threads:
            thread.join(4 * _TIMEOUT_S)


def _person(name: str) -> dict[str, str]:
    return {"username": name, "password": _PASSWORD}


def _pair(answer: httpx.Response) -> Pair:
    made = answer.json()
    return Pair(made["access"], made["refresh"])

"""Who acts in the story: devices that sign in, and an administrator's client."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from demo.stage import Stage

T = TypeVar("T")
_ERROR = re.compile(r'error="([^"]*)"')


class NotHeld(Exception):
    """A step of the story did not hold. The message is a sentence; it carries no token."""


def expect(condition: object, sentence: str) -> None:
    """NotHeld with this sentence unless the condition is true."""
    if not condition:
        raise NotHeld(sentence)


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """The call's answer and the milliseconds it took."""
    began = time.perf_counter()
    answer = call()
    return answer, (time.perf_counter() - began) * 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A network. The addresses are of documentation (RFC 5737): nobody's."""

    name: str
    ip: str


HOME = Place("at home", "198.51.100.23")
CAFE = Place("in a café", "203.0.113.40")
HOTEL = Place("in a hotel abroad", "192.0.2.77")


@dataclass
class Device:
    """Something that holds tokens: a browser or an app with a device id of its own, somewhere."""

    http: httpx.Client
    rescind: str
    name: str
    agent: str
    place: Place
    device_id: str
    access: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    def sign_in(self, username: str, password: str) -> None:
        """POST /api/token/."""
        body = {"username": username, "password": password, "device_name": self.name, "remember_me": True}
        self._keep(self._post("/api/token/", body))

    def refresh(self) -> httpx.Response:
        """POST /api/token/refresh/; keeps the new pair if there is one."""
        answer = self._post("/api/token/refresh/", {"refresh": self.refresh_token})
        if answer.is_success:
            self._keep(answer)
        return answer

    def refresh_at_once(self, tabs: int) -> Sequence[httpx.Response]:
        """Several tabs present the same refresh token in the same moment."""
        ready = threading.Barrier(tabs)

        def tab(_: int) -> httpx.Response:
            ready.wait()
            return self._post("/api/token/refresh/", {"refresh": self.refresh_token})

        with ThreadPoolExecutor(tabs) as pool:
            answers = list(pool.map(tab, range(tabs)))
        self._keep(answers[0])
        return answers

    def log_out(self) -> httpx.Response:
        """POST /api/token/logout/."""
        return self._post("/api/token/logout/", {"refresh": self.refresh_token})

    def sessions(self) -> Sequence[Mapping[str, Any]]:
        """GET /api/sessions: where I am signed in."""
        answer = self.http.get(f"{self.rescind}/api/sessions", headers=self._headers(self.access))
        expect(answer.status_code == 200, f"the device list answers {answer.status_code}")
        listed: Sequence[Mapping[str, Any]] = answer.json()["sessions"]
        return listed

    def sign_out_everywhere(self) -> int:
        """DELETE /api/sessions?scope=all; how many sessions ended."""
        answer = self.http.delete(f"{self.rescind}/api/sessions?scope=all", headers=self._headers(self.access))
        expect(answer.status_code == 200, f"signing out everywhere answers {answer.status_code}")
        return int(answer.json()["ended"])

    @property
    def sid(self) -> str:
        """The session, as the access token says."""
        payload = self.access.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sid"])

    def _keep(self, answer: httpx.Response) -> None:
        expect(answer.status_code == 200, f"{self.name}: tokens were refused with {answer.status_code} {told(answer)}")
        self.access, self.refresh_token = answer.json()["access"], answer.json()["refresh"]

    def _post(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        return self.http.post(f"{self.rescind}{path}", json=body, headers=self._headers())

    def _headers(self, access: str = "") -> dict[str, str]:
        found = {"User-Agent": self.agent, "X-Forwarded-For": self.place.ip, "Rescind-Device": self.device_id}
        return found | ({"Authorization": f"Bearer {access}"} if access else {})


class Admin:
    """The administrator's OAuth client."""

    def __init__(self, http: httpx.Client, stage: Stage) -> None:
        self._http, self._stage = http, stage
        asked = {"grant_type": "client_credentials"}
        answer = http.post(f"{stage.rescind}/oauth/token", data=asked, auth=(stage.client_id, stage.client_secret))
        expect(answer.status_code == 200, f"the admin client gets no token: {answer.status_code}")
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def get(self, path: str, **query: str | int) -> Any:
        """The answer's JSON."""
        return self._told(self._http.get(self._stage.url(path), params=query, headers=self._headers))

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """The answer's JSON."""
        return self._told(self._http.post(self._stage.url(path), json=body or {}, headers=self._headers))

    def patch(self, path: str, body: Mapping[str, object]) -> Any:
        """The answer's JSON."""
        return self._told(self._http.patch(self._stage.url(path), json=body, headers=self._headers))

    @staticmethod
    def _told(answer: httpx.Response) -> Any:
        expect(
            answer.is_success, f"{answer.request.method} {answer.request.url.path} answers {answer.status_code} {told(answer)}"
        )
        return answer.json() if answer.content else None


def told(answer: httpx.Response) -> str:
    """The code and reason of a refusal, from its body, else from its challenge (RFC 6750)."""
    kind = answer.headers.get("Content-Type", "")
    body = answer.json() if "json" in kind else {}
    words = [str(body[name]) for name in ("code", "reason", "why", "error") if body.get(name)]
    challenge = _ERROR.search(answer.headers.get("WWW-Authenticate", ""))
    return " ".join(words) or (challenge[1] if challenge else "")

"""Measures when the resource servers stop, or start again, to accept a token."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from demo.people import NotHeld, T, told

PATIENCE_S = 10.0
_PAUSE_S = 0.002


@dataclass(frozen=True, slots=True)
class Answer:
    """One resource server's answer. `ms`: after the act that was measured from."""

    status: int
    why: str
    ms: float

    @property
    def accepted(self) -> bool:
        """Whether the token was good enough."""
        return self.status == 200


class Resources:
    """The demo resource servers, each over a connection that is kept open."""

    def __init__(self, apis: Mapping[str, str], tls: ssl.SSLContext) -> None:
        self._clients = {name: httpx.Client(base_url=url, timeout=5, verify=tls) for name, url in apis.items()}

    @property
    def names(self) -> Sequence[str]:
        """What they are called."""
        return tuple(self._clients)

    def call(self, name: str, access: str) -> Answer:
        """GET /mine with this token, once."""
        began = time.perf_counter()
        answer = self._clients[name].get("/mine", headers={"Authorization": f"Bearer {access}"})
        return Answer(answer.status_code, told(answer), (time.perf_counter() - began) * 1000)

    def call_all(self, access: str) -> Mapping[str, Answer]:
        """Once at each."""
        return {name: self.call(name, access) for name in self._clients}

    def watch(
        self, tokens: Sequence[str], act: Callable[[], T], *, until: Callable[[Answer], bool]
    ) -> tuple[T, Mapping[str, Answer]]:
        """Call every server with every token again and again while `act` happens.

        Gives the act's own result and, for each server, its last first answer that fits `until`: from then on it is true of all
        tokens. Milliseconds count from the beginning of the act.
        """
        started = threading.Event()
        pairs = [(name, token) for name in self._clients for token in tokens]
        began = 0.0

        def look(name: str, token: str) -> Answer:
            started.wait()
            while not until(answer := self.call(name, token)):
                if time.perf_counter() - began > PATIENCE_S:
                    msg = f"{name} still answers {answer.status} {answer.why} after {PATIENCE_S:.0f} s"
                    raise NotHeld(msg)
                time.sleep(_PAUSE_S * len(pairs))
            return Answer(answer.status, answer.why, (time.perf_counter() - began) * 1000)

        with ThreadPoolExecutor(len(pairs)) as pool:
            looks = [(name, pool.submit(look, name, token)) for name, token in pairs]
            began = time.perf_counter()
            started.set()
            result = act()
            found = [(name, look.result()) for name, look in looks]
        slowest = {name: max((each for at, each in found if at == name), key=lambda each: each.ms) for name in self._clients}
        return result, slowest

    def close(self) -> None:
        """Hang up."""
        for client in self._clients.values():
            client.close()


class OpenStream:
    """An event stream that stays open at a resource server; it notes when the server closes it."""

    def __init__(self, url: str, access: str, tls: ssl.SSLContext) -> None:
        self._url, self._access, self._tls = url, access, tls
        self._opened, self._closed = threading.Event(), threading.Event()
        self._end = 0.0
        self._thread = threading.Thread(target=self._read, name="open-stream", daemon=True)
        self._thread.start()
        if not self._opened.wait(PATIENCE_S):
            raise NotHeld("the event stream does not open")

    @property
    def is_open(self) -> bool:
        """Whether it still is."""
        return not self._closed.is_set()

    def closed_after(self, began: float) -> float:
        """Milliseconds from `began` (time.perf_counter) to its end; NotHeld if it does not end."""
        if not self._closed.wait(PATIENCE_S):
            raise NotHeld("the event stream of the dead session stays open")
        return (self._end - began) * 1000

    def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self._access}"}
        try:
            with httpx.stream("GET", self._url, headers=headers, timeout=PATIENCE_S, verify=self._tls) as answer:
                for _ in answer.iter_raw() if answer.is_success else ():
                    self._opened.set()
        except httpx.HTTPError:
            pass  # cut off is one way of being closed
        self._end = time.perf_counter()
        self._closed.set()

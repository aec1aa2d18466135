"""A browser's cookie jar over httpx: keeps `__Host-` cookies on http://127.0.0.1 as browsers do on localhost."""

from __future__ import annotations

from collections.abc import Mapping

import httpx


class Browser:
    """Pages of `origin` that call the service. `send` leaves the answer's cookies out, `take` puts them in the jar."""

    def __init__(self, http: httpx.Client, origin: str | None) -> None:
        self.jar: dict[str, str] = {}
        self._http = http
        self._origin = origin

    def send(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """A POST by a page."""
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}
        origin = {"Origin": self._origin} if self._origin else {}
        return self._http.post(path, json=body, headers={**sent, **origin, **(headers or {})})

    def take(self, answer: httpx.Response) -> httpx.Response:
        """The answer arrives."""
        for line in answer.headers.get_list("set-cookie"):
            pair, *attributes = line.split("; ")
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return answer

    def post(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send and take."""
        return self.take(self.send(path, body, headers))

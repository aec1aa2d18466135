"""HTTP to one other service. What comes back is whole, in time and JSON, or it counts as no answer."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

from eventlog.certificates import certificate_trouble
from rescind.jose import read_object
from services.roads.errors import NoAnswer

_CODE = re.compile("[a-z_]{1,40}")  # no token or secret looks like this
_LONGEST_WAIT_S = 3600
_LATE = "does not answer in time"
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "rescind"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What `who` said. `retry_after`: seconds, 0 where none are named."""

    who: str
    status: int
    members: Mapping[str, object] = field(repr=False)
    retry_after: int = 0

    @property
    def code(self) -> str:
        """The machine-readable word for what is wrong, in a problem or an OAuth error; "" where there is none."""
        found = self.members.get("code", self.members.get("error"))
        return found if isinstance(found, str) and _CODE.fullmatch(found) else ""

    def expect(self, status: HTTPStatus) -> Mapping[str, object]:
        """The members of an answer of this status; NoAnswer for any other."""
        if self.status == status:
            return self.members
        raise self.refusal()

    def refusal(self) -> NoAnswer:
        """The answer as an error."""
        said = f"{self.status} {self.code}".strip()
        if self.status == HTTPStatus.UNAUTHORIZED:
            return NoAnswer(self.who, f"does not accept this service's credential ({said})")
        if self.status == HTTPStatus.FORBIDDEN:
            return NoAnswer(self.who, f"does not allow this service that ({said})")
        return NoAnswer(self.who, f"answers {said}")

    def unreadable(self, what: str) -> NoAnswer:
        """An error for an answer of the right status with other contents than agreed; `what` quotes nothing of it."""
        return NoAnswer(self.who, f"answers with {what}")


class Wire:
    """`who` names the other service in messages, `url` is its base URL. Any thread may call it.

    No redirect is followed and no proxy of the environment is used: credentials go to `url` and nowhere else. `patience_s`: for
    connecting and for the whole answer. `largest`: bytes that an answer may have.
    """

    def __init__(
        self,
        who: str,
        url: str,
        *,
        tls: ssl.SSLContext | None = None,
        patience_s: float = 3.0,
        largest: int = 64 * 1024 * 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.who = who
        self._patience_s = patience_s
        self._largest = largest
        self._clock = clock
        self._http = httpx.Client(base_url=url, verify=tls or ssl.create_default_context(), trust_env=False, headers=_HEADERS)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        content: bytes = b"",
        wait_s: float = 0.0,
    ) -> Answer:
        """One request. `wait_s`: how much later than usual the answer may be, since the other side waits so long. NoAnswer."""
        patience = self._patience_s + wait_s
        deadline = self._clock() + patience
        timeout = httpx.Timeout(patience, connect=self._patience_s)
        try:
            with self._http.stream(
                method, path, params=query, headers=dict(headers), content=content, timeout=timeout
            ) as response:
                return self._answer(response, self._body(response, deadline))
        except (httpx.HTTPError, httpx.StreamError) as error:  # its text, or its cause's, may quote a header: none is kept
            raise NoAnswer(self.who, _trouble(error)) from None

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for piece in response.iter_raw():
            body += piece
            if len(body) > self._largest:
                raise NoAnswer(self.who, "gives an answer that is too long")
            if self._clock() > deadline:
                raise NoAnswer(self.who, _LATE)
        return bytes(body)

    def _answer(self, response: httpx.Response, body: bytes) -> Answer:
        try:
            members = read_object(body)
        except ValueError:
            what = f"is not who answers {response.status_code} at its address"
            raise NoAnswer(self.who, what) from None
        after = response.headers.get("Retry-After", "")
        seconds = int(after) if after.isascii() and after.isdigit() and len(after) < 9 else 0  # noqa: PLR2004  (digits)
        return Answer(self.who, response.status_code, members, min(seconds, _LONGEST_WAIT_S))


def _trouble(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return _LATE
    if isinstance(error, httpx.ConnectError):
        return certificate_trouble(str(error)) or "cannot be reached"
    return "breaks off its answer"

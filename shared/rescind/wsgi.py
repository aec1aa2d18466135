"""WSGI middleware (PEP 3333; Flask, Django and others): refuses requests, and ends event streams whose session has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from rescind.claims import Claims
from rescind.errors import Denied
from rescind.judging import Policy
from rescind.refusals import Refusal, TwoTokens, bearer, no_token, refusal, two_tokens
from rescind.routes import Routes, Rule
from rescind.verifier import Verifier

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

CLAIMS = "rescind.claims"
"""Where the claims stand in the environ; None on an open path."""


class RescindMiddleware:
    """Lets a request pass with `environ["rescind.claims"]` set to its `Claims`, or refuses it.

    `policy`: `strict` or `best_effort`, the verifier's own by default; `paths`: prefixes with another rule, `open` ones need no
    token. An event stream ends at the next piece that it would send after its session has ended.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        verifier: Verifier,
        policy: Policy | None = None,
        paths: Mapping[str, Rule] | None = None,
        realm: str = "api",
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._routes = Routes(paths or {}, policy or verifier.policy)
        if "best_effort" in self._routes.rules:
            verifier.has_route("best_effort")
        self._realm = realm

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        rule = self._routes.rule(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
        if rule == "open":
            environ[CLAIMS] = None
            return self._app(environ, start_response)
        answer = self._verify(environ, rule)
        if isinstance(answer, Refusal):
            start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(answer.headers))
            return [answer.body]
        environ[CLAIMS] = answer
        return self._watched(answer, rule, environ, start_response)

    def _verify(self, environ: WSGIEnvironment, policy: Policy) -> Claims | Refusal:
        header = environ.get("HTTP_AUTHORIZATION")
        try:
            token = bearer([] if header is None else [header])
        except TwoTokens:
            return two_tokens(self._realm)
        if token is None:
            return no_token(self._realm)
        answer = self._verifier.verify(token, min_seq=environ.get("HTTP_RESCIND_MIN_SEQ"), policy=policy)
        return refusal(answer, realm=self._realm) if isinstance(answer, Denied) else answer

    def _watched(self, claims: Claims, policy: Policy, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        streams: bool | None = None  # not known before the app starts its response

        def starting(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
            nonlocal streams
            streams = any(name.lower() == "content-type" and value.startswith("text/event-stream") for name, value in headers)
            return start(status, headers, exc_info) if exc_info else start(status, headers)  # type: ignore[arg-type]

        pieces = self._app(environ, starting)
        if streams is False:
            return pieces
        return _While(pieces, lambda: not streams or self._verifier.judge(claims, policy=policy) is None)


class _While:
    """Pieces of a response, for as long as it may go on. `close` is the app's own (PEP 3333)."""

    def __init__(self, pieces: Iterable[bytes], may_go_on: Callable[[], bool]) -> None:
        self._pieces = pieces
        self._may_go_on = may_go_on

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if not self._may_go_on():
                return
            yield piece

    def close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()

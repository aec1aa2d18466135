"""ASGI middleware (Starlette, FastAPI, Quart, Litestar): refuses requests, and closes what stays open when its session ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from rescind.claims import Claims
from rescind.errors import Denied
from rescind.judging import Policy
from rescind.open_responses import OpenResponses
from rescind.refusals import Refusal, TwoTokens, bearer, lacks, no_token, refusal, two_tokens
from rescind.routes import Routes, Rule
from rescind.verifier import Verifier
from rescind.watched import WatchedResponse, WatchedSocket

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CLAIMS = "rescind"
"""Where the claims stand in the scope; None on an open path."""

_WAITING = 16  # requests that may wait for a position at one time


class RescindMiddleware:
    """Lets a request pass with `scope["rescind"]` set to its `Claims`, or refuses it.

    `policy`: `strict` or `best_effort`, the verifier's own by default; `paths`: prefixes with another rule, `open` ones need no
    token. `token`: finds it elsewhere than in the Authorization header, for WebSockets of browsers, which can set none; never
    look for it in the URL. Put the middleware inside CORS middleware: a preflight request carries no token.
    """

    def __init__(
        self,
        app: App,
        *,
        verifier: Verifier,
        policy: Policy | None = None,
        paths: Mapping[str, Rule] | None = None,
        realm: str = "api",
        token: Callable[[Scope], str | None] | None = None,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._token = token or _authorization
        self._routes = Routes(paths or {}, policy or verifier.policy)
        if "best_effort" in self._routes.rules:
            verifier.has_route("best_effort")
        self._realm = realm
        self._open = OpenResponses(verifier)
        self._waiting = ThreadPoolExecutor(_WAITING, "rescind-min-seq")  # threads come with the first wait, after any fork

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            _ = self._verifier.position  # begin to follow before the first request
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        rule = self._routes.rule(scope["path"])
        answer = None if rule == "open" else await self._verify(scope, rule)
        if isinstance(answer, Refusal):
            await refuse(answer, scope, receive, send)
            return
        scope[CLAIMS] = answer
        if answer is None or rule == "open":
            await self._app(scope, receive, send)
            return
        watched = WatchedSocket if scope["type"] == "websocket" else WatchedResponse
        await watched(answer, rule, send, self._open).run(self._app, scope, receive)

    async def _verify(self, scope: Scope, policy: Policy) -> Claims | Refusal:
        try:
            token = self._token(scope)
        except TwoTokens:
            return two_tokens(self._realm)
        if token is None:
            return no_token(self._realm)
        min_seq = ",".join(_header(scope, b"rescind-min-seq")) or None
        encoded = token.encode(errors="replace")
        verify = partial(self._verifier.verify, encoded, min_seq=min_seq, policy=policy)
        if min_seq is None and self._verifier.remembers(encoded):
            answer = verify()
        else:  # it may fetch keys, or wait for a position
            executor = None if min_seq is None else self._waiting
            answer = await asyncio.get_running_loop().run_in_executor(executor, verify)
        return refusal(answer, realm=self._realm) if isinstance(answer, Denied) else answer


class RequireScope:
    """Lets only tokens with `scope` pass; inside `RescindMiddleware`. Fits Starlette's per-route `middleware=[…]`."""

    def __init__(self, app: App, *, scope: str, realm: str = "api") -> None:
        self._app = app
        self._scope = scope
        self._realm = realm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        claims = cast("Claims | None", scope.get(CLAIMS))
        if claims is None:
            await refuse(no_token(self._realm), scope, receive, send)
        elif denied := lacks(claims.scope, self._scope):
            await refuse(refusal(denied, realm=self._realm, scope=self._scope), scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def refuse(answer: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a refusal; a WebSocket's handshake is denied, with the whole answer where the server can."""
    prefix = "http.response"
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
        prefix = "websocket.http.response"
        if prefix not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": f"{prefix}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": answer.body})


def _authorization(scope: Scope) -> str | None:
    return bearer(_header(scope, b"authorization"))


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for known, value in scope["headers"] if known == name]

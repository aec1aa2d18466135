"""Stands between an ASGI app and its server, so that a response that stays open can be closed from outside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from rescind.claims import Claims
from rescind.errors import Denied
from rescind.judging import Policy
from rescind.open_responses import OpenResponses

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1


class ResponseClosed(OSError):
    """What the app's `send` raises after the response was closed, as servers do after a disconnect."""


class WatchedResponse:
    """An HTTP response; it is watched from the moment it turns out to be an event stream.

    `grace`: the seconds that an app has to notice that its client is gone, before it is cancelled.
    """

    grace = 5.0

    def __init__(self, claims: Claims, policy: Policy | None, send: Send, responses: OpenResponses) -> None:
        self.claims = claims
        self.policy = policy
        self.loop = asyncio.get_running_loop()
        self._send = send
        self._responses = responses
        self._task = asyncio.current_task()
        self._sending = asyncio.Lock()
        self._gone = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._watched = False
        self._cancelled = False

    async def run(self, app: App, scope: MutableMapping[str, Any], receive: Receive) -> None:
        """Serve it to the end, its own or the one that a refusal makes."""
        try:
            await app(scope, lambda: self._receive(receive), self._pass)
        except asyncio.CancelledError:
            if self._closing is None or self._task is None or not self._cancelled:
                raise
            self._task.uncancel()
        except Exception as error:
            if self._closing is None:
                raise
            logger.debug("an app ended by the closing of its response", exc_info=error)
        finally:
            self._responses.remove(self)
        if self._closing is not None:
            await self._gone.wait()
            self._closing.cancel()

    def refuse(self, denied: Denied) -> None:
        """Close it: nothing that the app sends from now on leaves."""
        if self._closing is None:
            self._closing = self.loop.create_task(self._close(denied))

    def _starts(self, message: Message) -> bool:
        """Whether with this message the response becomes one that stays open."""
        return message["type"] == "http.response.start" and any(
            name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream")
            for name, value in message.get("headers", ())
        )

    def _farewell(self, _denied: Denied) -> Message:
        return {"type": "http.response.body", "body": b"", "more_body": False}

    def _disconnect(self) -> Message:
        return {"type": "http.disconnect"}

    async def _pass(self, message: Message) -> None:
        async with self._sending:
            if self._closing is not None:
                raise ResponseClosed("the response was closed")
            await self._send(message)
        if self._starts(message):
            self._watched = True
            self._responses.add(self)

    async def _receive(self, receive: Receive) -> Message:
        """Give what the client sends, or its end as soon as the response is closed."""
        if not self._watched:
            return await receive()
        receiving, gone = asyncio.ensure_future(receive()), asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait((receiving, gone), return_when=asyncio.FIRST_COMPLETED)
            return self._disconnect() if self._gone.is_set() else receiving.result()
        finally:
            gone.cancel()
            receiving.cancel()

    async def _close(self, denied: Denied) -> None:
        async with self._sending:
            try:
                await self._send(self._farewell(denied))
            except Exception as error:  # the client is gone already; each server says so in its own way
                logger.debug("a response could not be closed", exc_info=error)
        self._gone.set()
        await asyncio.sleep(self.grace)
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()


class WatchedSocket(WatchedResponse):
    """A WebSocket; it is watched once it is accepted."""

    def _starts(self, message: Message) -> bool:
        return bool(message["type"] == "websocket.accept")

    def _farewell(self, denied: Denied) -> Message:
        return {"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": denied.reason.value}

    def _disconnect(self) -> Message:
        return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}

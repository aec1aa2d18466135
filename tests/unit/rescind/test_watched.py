from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

import pytest
from kit.feed_server import ISS

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.open_responses import OpenResponses
from rescind.watched import Receive, ResponseClosed, Send, WatchedResponse, WatchedSocket

Message = MutableMapping[str, Any]
ENDED = Denied(Denial.SESSION_REVOKED, "ended")
CLAIMS = Claims(iss=ISS, sub="ann", aud=("api",), exp=9, iat=1, jti="j", client_id="web")
STREAM = {"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/event-stream; charset=utf-8")]}
PAGE = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}
PIECE = {"type": "http.response.body", "body": b"data: x\n\n", "more_body": True}
END = {"type": "http.response.body", "body": b"", "more_body": False}


class Registry:
    def __init__(self) -> None:
        self.open: list[WatchedResponse] = []

    def add(self, response: WatchedResponse) -> None:
        self.open.append(response)

    def remove(self, response: WatchedResponse) -> None:
        if response in self.open:
            self.open.remove(response)


class Served:
    """One response in front of a server that keeps what it is sent and whose client says nothing."""

    def __init__(self, kind: type[WatchedResponse] = WatchedResponse) -> None:
        self.sent: list[Message] = []
        self.registry = Registry()
        self.response = kind(CLAIMS, None, self.send, cast("OpenResponses", self.registry))

    async def send(self, message: Message) -> None:
        await asyncio.sleep(0)
        self.sent.append(message)

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def run(self, app: Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]) -> None:
        await self.response.run(app, {}, self.receive)
        assert self.registry.open == []


def test_only_what_stays_open_is_watched() -> None:
    async def story() -> None:
        for start, watched in ((STREAM, True), (PAGE, False)):
            served = Served()

            async def app(_scope: object, _receive: Receive, send: Send, served: Served = served, start: Message = start) -> None:
                await send(start)
                assert bool(served.registry.open) is watched  # noqa: B023  (it runs within this turn of the loop)
                await send(END)

            await served.run(app)
            assert served.sent == [start, END]

    asyncio.run(story())


def test_nothing_leaves_after_the_refusal_and_the_app_hears_a_disconnect() -> None:
    async def story() -> None:
        served = Served()
        heard: list[Message] = []

        async def app(_scope: object, receive: Receive, send: Send) -> None:
            await send(STREAM)
            served.response.refuse(ENDED)
            with pytest.raises(ResponseClosed):
                await send(PIECE)
            heard.append(await receive())
            heard.append(await receive())

        await served.run(app)
        assert served.sent == [STREAM, END]
        assert heard == [{"type": "http.disconnect"}] * 2

    asyncio.run(story())


def test_an_app_that_ends_at_once_still_lets_the_farewell_out() -> None:
    async def story() -> None:
        served = Served(WatchedSocket)

        async def app(_scope: object, _receive: Receive, send: Send) -> None:
            await send({"type": "websocket.accept"})
            served.response.refuse(ENDED)

        await served.run(app)
        assert served.sent[-1] == {"type": "websocket.close", "code": 1008, "reason": "session_revoked"}

    asyncio.run(story())


def test_an_app_that_notices_nothing_is_cancelled() -> None:
    async def story() -> None:
        served = Served()
        served.response.grace = 0.0
        cleaned: list[bool] = []

        async def app(_scope: object, _receive: Receive, send: Send) -> None:
            await send(STREAM)
            served.response.refuse(ENDED)
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.append(True)

        await served.run(app)
        task = asyncio.current_task()
        assert task
        assert (cleaned, served.sent, task.cancelling()) == ([True], [STREAM, END], 0)

    asyncio.run(story())


def test_the_servers_own_cancelling_passes_through() -> None:
    async def story() -> None:
        served = Served()

        async def app(_scope: object, _receive: Receive, send: Send) -> None:
            await send(STREAM)
            await asyncio.Event().wait()

        task = asyncio.create_task(served.run(app))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())


def test_an_apps_own_fault_passes_through() -> None:
    async def story() -> None:
        async def app(_scope: object, _receive: Receive, send: Send) -> None:
            await send(STREAM)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await Served().run(app)

    asyncio.run(story())


def test_a_client_that_is_gone_does_not_stop_the_closing() -> None:
    async def story() -> None:
        served = Served()

        async def broken(_message: Message) -> None:
            raise OSError

        async def app(_scope: object, receive: Receive, send: Send) -> None:
            await send(STREAM)
            served.response._send = broken
            served.response.refuse(ENDED)
            assert await receive() == {"type": "http.disconnect"}

        await served.run(app)

    asyncio.run(story())

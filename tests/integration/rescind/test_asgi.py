from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import httpx
import pytest
from kit.fault_proxy import STREAM, fault_proxy
from kit.feed_server import ended
from kit.verifying import JumpingClock, Platform, platform, served, verifier_for
from kit.waiting import until
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from rescind.asgi import RequireScope, RescindMiddleware
from rescind.routes import Rule
from rescind.verdicts import ALWAYS, Change, Verdict
from rescind.verifier import Verifier
from rescind.vocabulary import Target, TargetType


class Site:
    """A Starlette app with all kinds of responses behind the middleware."""

    def __init__(self, verifier: Verifier) -> None:
        self.ended: list[str] = []
        routes = [
            Route("/me", self.me),
            Route("/pay", self.me, methods=["POST"], middleware=[Middleware(RequireScope, scope="payments:write")]),
            Route("/health", self.health),
            Route("/ticks", self.ticks),
            Route("/silence", self.silence),
            WebSocketRoute("/echo", self.echo),
            WebSocketRoute("/push", self.push),
        ]
        paths: dict[str, Rule] = {"/health": "open"}
        self.app = Starlette(routes=routes, middleware=[Middleware(RescindMiddleware, verifier=verifier, paths=paths)])

    async def me(self, request: Request) -> JSONResponse:
        return JSONResponse({"sub": request.scope["rescind"].sub})

    async def health(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(request.scope["rescind"]))

    async def ticks(self, _request: Request) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            try:
                while True:
                    yield "data: tick\n\n"
                    await asyncio.sleep(0.01)
            finally:
                self.ended.append("ticks")

        return StreamingResponse(lines(), media_type="text/event-stream")

    async def silence(self, _request: Request) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            yield "data: one\n\n"
            await asyncio.Event().wait()

        return StreamingResponse(lines(), media_type="text/event-stream")

    async def echo(self, websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)
        self.ended.append("echo")

    async def push(self, websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await websocket.send_text("news")
            await asyncio.sleep(0.005)


@pytest.fixture
def world() -> Iterator[Platform]:
    with platform() as made:
        yield made


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def verifier(world: Platform, clock: JumpingClock) -> Iterator[Verifier]:
    with verifier_for(world, clock=clock) as made:
        yield made


@pytest.fixture
def site(verifier: Verifier) -> Site:
    return Site(verifier)


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    with served(site.app) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{address}") as client:
        yield client


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def open_socket(stack: ExitStack, address: str, path: str, headers: dict[str, str]) -> ClientConnection:
    return stack.enter_context(connect(f"ws://{address}{path}", additional_headers=headers, proxy=None))


def closing(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        list(iter(lambda: socket.recv(timeout=10), None))
    assert caught.value.rcvd
    return caught.value.rcvd.code, caught.value.rcvd.reason


def test_a_request_passes_with_its_claims_until_the_session_ends(client: httpx.Client, world: Platform) -> None:
    assert client.get("/me", headers=world.header()).json() == {"sub": "ann"}
    world.end()
    answer = client.get("/me", headers=world.header())
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="api", error="invalid_token", error_description="the session has ended"'
    )
    assert answer.json() == {
        "title": "Unauthorized",
        "status": 401,
        "detail": "the session has ended",
        "reason": "session_revoked",
    }
    assert client.get("/me", headers=world.header(2)).status_code == 200


def test_without_a_token_the_challenge_has_no_error(client: httpx.Client, world: Platform) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}):
        answer = client.get("/me", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="api"')
    token = world.token()
    assert client.get(f"/me?access_token={token}").status_code == 401
    twice = client.get("/me", headers=[("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")])
    assert twice.status_code == 400
    assert 'error="invalid_request"' in twice.headers["www-authenticate"]


def test_an_open_path_needs_no_token_and_has_no_neighbours(client: httpx.Client) -> None:
    assert client.get("/health").text == "None"
    assert client.get("/healthy").status_code == 401
    assert client.get("/health/..%2fme").status_code == 401


def test_a_scope_is_asked_for(client: httpx.Client, world: Platform) -> None:
    answer = client.post("/pay", headers=world.header())
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == 'Bearer realm="api", error="insufficient_scope", scope="payments:write"'
    assert answer.json()["reason"] == "insufficient_scope"
    assert client.post("/pay", headers=world.header(jti="t2", scope="payments:write")).status_code == 200


def test_a_session_on_hold_is_told_to_step_up(client: httpx.Client, world: Platform) -> None:
    held = Change(Target(TargetType.SESSION, world.iss, "", 1), Verdict(hold=ALWAYS, step_up_id="u-1", reason="anomaly"))
    world.applied(world.feed.publish(held, ack=True))
    answer = client.get("/me", headers=world.header())
    assert answer.status_code == 401
    assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]
    assert answer.json()["step_up_id"] == "u-1"


def test_a_stale_verifier_asks_to_come_back_and_throws_no_token_away(
    client: httpx.Client, world: Platform, clock: JumpingClock
) -> None:
    world.feed.state.refusing = 503
    clock.ahead += 60_000
    answer = client.get("/me", headers=world.header())
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["reason"]) == (503, "1", "stale")
    assert "www-authenticate" not in answer.headers


def test_a_websocket_is_refused_at_its_handshake(address: str, sockets: ExitStack) -> None:
    with pytest.raises(InvalidStatus) as caught:
        open_socket(sockets, address, "/echo", {})
    assert caught.value.response.status_code == 401
    assert caught.value.response.headers["www-authenticate"] == 'Bearer realm="api"'


def test_open_websockets_of_a_revoked_session_are_closed_and_no_others(
    site: Site, address: str, world: Platform, sockets: ExitStack
) -> None:
    doomed = [open_socket(sockets, address, path, world.header(1)) for path in ("/echo", "/push")]
    other = open_socket(sockets, address, "/echo", world.header(2))
    world.end(1)
    assert [closing(socket) for socket in doomed] == [(1008, "session_revoked")] * 2
    other.send("still here")
    assert other.recv(timeout=10) == "still here"
    until(lambda: site.ended == ["echo"])


def test_a_rotation_closes_nothing(address: str, world: Platform, sockets: ExitStack) -> None:
    socket = open_socket(sockets, address, "/echo", world.header(1, jti="before"))
    assert httpx.get(f"http://{address}/me", headers=world.header(1, jti="after")).status_code == 200
    world.applied(world.feed.publish(ended(99, world.iss), ack=True))
    world.feed.forget_deltas()
    socket.send("still here")
    assert socket.recv(timeout=10) == "still here"


def test_an_open_event_stream_ends_with_its_session(site: Site, client: httpx.Client, world: Platform) -> None:
    with client.stream("GET", "/ticks", headers=world.header()) as response:
        lines = response.iter_lines()
        assert next(lines) == "data: tick"
        world.end()
        assert set(lines) <= {"data: tick", ""}  # it ends, and as a whole
    until(lambda: site.ended == ["ticks"])  # the server hears of it a moment after the client


def test_an_event_stream_that_says_nothing_ends_too(client: httpx.Client, world: Platform) -> None:
    with client.stream("GET", "/silence", headers=world.header()) as response:
        lines = response.iter_lines()
        assert [next(lines), next(lines)] == ["data: one", ""]
        world.end()
        assert list(lines) == []


def test_a_stream_of_a_session_that_ended_meanwhile_does_not_start(verifier: Verifier, world: Platform) -> None:
    """The session ends between the judging of the request and the start of the response."""
    started = threading.Event()
    ended_now = threading.Event()

    async def late(_request: Request) -> StreamingResponse:
        started.set()
        await asyncio.to_thread(ended_now.wait, 10)

        async def lines() -> AsyncIterator[str]:
            yield "data: secret\n\n"
            await asyncio.Event().wait()

        return StreamingResponse(lines(), media_type="text/event-stream")

    app = Starlette(routes=[Route("/late", late)], middleware=[Middleware(RescindMiddleware, verifier=verifier)])
    with served(app) as address:
        text: list[str] = []
        reading = threading.Thread(
            target=lambda: text.append(httpx.get(f"http://{address}/late", headers=world.header(), timeout=20).text)
        )
        reading.start()
        assert started.wait(10)
        world.end()
        ended_now.set()
        reading.join(20)
        assert text == [""]


def test_a_strict_stream_ends_when_the_verifier_goes_stale(client: httpx.Client, world: Platform, clock: JumpingClock) -> None:
    with client.stream("GET", "/ticks", headers=world.header()) as response:
        lines = response.iter_lines()
        assert next(lines) == "data: tick"
        world.feed.state.refusing = 503
        clock.ahead += 60_000
        assert set(lines) <= {"data: tick", ""}


def test_min_seq_waits_for_a_position_or_denies(world: Platform) -> None:
    with (
        fault_proxy(world.feed.url) as proxy,
        verifier_for(world, feed=proxy.url) as verifier,
        served(Site(verifier).app) as address,
        httpx.Client(base_url=f"http://{address}") as client,
    ):
        proxy.buffer(STREAM)
        position = world.feed.publish(ended(1, world.iss))
        pinned = {**world.header(2), "Rescind-Min-Seq": str(position)}
        behind = client.get("/me", headers=pinned)
        assert (behind.status_code, behind.json()["reason"]) == (503, "stale")
        proxy.release()
        assert client.get("/me", headers=pinned).status_code == 200
        assert client.get("/me", headers={**world.header(1), "Rescind-Min-Seq": str(position)}).status_code == 401


def test_min_seq_above_everything_is_denied_after_one_question(client: httpx.Client, world: Platform) -> None:
    answer = client.get("/me", headers={**world.header(), "Rescind-Min-Seq": "1.999"})
    assert (answer.status_code, answer.json()["reason"]) == (503, "stale")
    assert client.get("/me", headers={**world.header(), "Rescind-Min-Seq": "1.0"}).status_code == 200
    assert client.get("/me", headers={**world.header(), "Rescind-Min-Seq": "soon"}).status_code == 503

"""What WSGI adds to the examples' tests: event streams, and every header of a refusal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import httpx
import pytest
from kit.feed_server import CREDENTIAL
from kit.verifying import JumpingClock, Platform, platform, settled, verifier_for

from rescind.routes import Rule
from rescind.verifier import Verifier
from rescind.wsgi import RescindMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        pass


class Ticking:
    """A response of pieces that come when the test says so."""

    def __init__(self, pieces: Iterable[bytes], closed: Callable[[], None]) -> None:
        self._pieces = pieces
        self.close = closed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


class App:
    def __init__(self) -> None:
        self.tick = threading.Semaphore(1)
        self.closed = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        kind = {"/ticks": "text/event-stream", "/download": "application/octet-stream"}.get(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Type", kind or "text/plain")])
        if kind is None:
            claims = environ["rescind.claims"]
            return [claims.sub.encode() if claims else b"nobody"]
        return Ticking(self._pieces(), self.closed.set)

    def _pieces(self) -> Iterator[bytes]:
        for _ in range(3):
            assert self.tick.acquire(timeout=10)
            yield b"data: tick\n\n"


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


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
def app() -> App:
    return App()


@pytest.fixture
def base(app: App, verifier: Verifier) -> Iterator[str]:
    guarded = RescindMiddleware(validator(app), verifier=verifier, paths={"/open": "open", "/soft": "best_effort"})
    with served(validator(guarded)) as base:
        yield base


def test_a_request_passes_with_its_claims_until_the_session_ends(base: str, world: Platform) -> None:
    assert httpx.get(f"{base}/me", headers=world.header()).text == "ann"
    world.end()
    refused = httpx.get(f"{base}/me", headers=world.header())
    assert (refused.status_code, refused.json()["reason"]) == (401, "session_revoked")
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert httpx.get(f"{base}/me").headers["www-authenticate"] == 'Bearer realm="api"'
    assert httpx.get(f"{base}/open").text == "nobody"
    assert httpx.get(f"{base}/opened").status_code == 401


def test_strict_and_best_effort_differ_while_stale(base: str, world: Platform, clock: JumpingClock) -> None:
    world.feed.state.refusing = 503
    clock.ahead += 60_000
    assert httpx.get(f"{base}/me", headers=world.header()).status_code == 503
    assert httpx.get(f"{base}/soft", headers=world.header()).text == "ann"


@pytest.mark.parametrize(("paths", "told"), [({"/soft": "best_effort"}, "best_effort"), ({"/open": "open"}, "strict")])
def test_the_service_is_told_the_laxest_policy_of_any_route(paths: dict[str, Rule], told: str, world: Platform) -> None:
    verifier = Verifier(issuers=world.iss, audience="rescind", feed=world.feed.url, credential=CREDENTIAL)
    RescindMiddleware(App(), verifier=verifier, paths=paths)
    settled(verifier)
    verifier.close()
    assert world.feed.state.acks[-1]["policy"] == told


def test_min_seq_is_read(base: str, world: Platform) -> None:
    answer = httpx.get(f"{base}/me", headers={**world.header(), "Rescind-Min-Seq": "1.999"})
    assert (answer.status_code, answer.json()["reason"]) == (503, "stale")


def test_an_event_stream_ends_at_its_next_piece_and_a_download_does_not(base: str, app: App, world: Platform) -> None:
    for path, expected in (("/ticks", b""), ("/download", b"data: tick\n\n" * 2)):
        sn = len(path)
        app.closed.clear()
        with httpx.stream("GET", f"{base}{path}", headers=world.header(sn)) as response:
            pieces = response.iter_raw()
            assert next(pieces) == b"data: tick\n\n"
            world.end(sn)
            app.tick.release(2)
            assert b"".join(pieces) == expected
        assert app.closed.wait(10)
        app.tick = threading.Semaphore(1)

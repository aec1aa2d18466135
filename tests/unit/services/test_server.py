import asyncio
import io
import json
import logging
import queue
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from kit.serving import serving
from kit.waiting import until

from eventlog.errors import StoreUnavailable
from services.logs import JsonLines
from services.runtime import CannotStart, Loop, Measure, Service, Streams
from services.server import listen, server


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    written, logger = io.StringIO(), logging.getLogger("services")
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)


def _lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_streams_end_before_loops_and_requests_are_answered() -> None:
    """An endless stream, a loop that must outlive it, and a stop: in that order, and none of them hangs."""
    streams, order, routes = Streams(), queue.SimpleQueue[str](), APIRouter()

    @routes.get("/v1/stream")
    async def _stream() -> StreamingResponse:
        async def frames() -> AsyncIterator[str]:
            ended = asyncio.Event()
            with streams.opened(ended.set):
                yield ": open\n\n"
                await ended.wait()
                order.put("stream")

        return StreamingResponse(frames(), media_type="text/event-stream")

    def _loop(stop: threading.Event) -> None:
        stop.wait()
        order.put("loop")

    with httpx.Client() as client:
        with serving(Service("one", routes, [Loop("tick", _loop)]), streams=streams) as url:
            request = client.build_request("GET", f"{url}/v1/stream")
            response = client.send(request, stream=True)
            lines = response.iter_lines()
            assert next(lines) == ": open"
            assert "rescind_open_streams 1.0" in httpx.get(f"{url}/metrics").text
        assert list(lines) == [""]
    assert [order.get_nowait(), order.get_nowait()] == ["stream", "loop"]


def test_a_stream_that_opens_while_we_stop_ends_at_once() -> None:
    streams, ended = Streams(), threading.Event()
    streams.end()
    with streams.opened(ended.set):
        assert ended.is_set()


def test_ready_names_what_is_missing() -> None:
    def _unreachable() -> dict[str, str]:
        raise StoreUnavailable("The database does not answer.")

    good = Service("good", APIRouter())
    late = Service("late", APIRouter(), ready=lambda: {"feed": "Behind by 3."})
    away = Service("away", APIRouter(), ready=_unreachable)
    with serving(good) as url:
        assert httpx.get(f"{url}/livez").json() == {"live": True}
        assert httpx.get(f"{url}/readyz").json() == {"ready": True, "missing": {}, "warnings": {}}
    with serving(good, late, away) as url:
        answer = httpx.get(f"{url}/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == {"late: feed": "Behind by 3.", "away: database": "The database does not answer."}


def test_a_loop_that_dies_is_named_and_its_message_is_not_logged(log: io.StringIO) -> None:
    def _dies(_: threading.Event) -> None:
        raise RuntimeError("hunter2")

    with serving(Service("one", APIRouter(), [Loop("sweep", _dies)])) as url:
        until(lambda: httpx.get(f"{url}/readyz").status_code == 503)
        answer = httpx.get(f"{url}/readyz")
        metrics = httpx.get(f"{url}/metrics").text
    assert "RuntimeError" in answer.json()["missing"]["sweep"]
    assert 'rescind_loop_alive{loop="sweep"} 0.0' in metrics
    assert "hunter2" not in log.getvalue()
    assert any(line.get("error") == "RuntimeError" and line["loop"] == "sweep" for line in _lines(log))


def test_logs_and_counts_hold_the_route_and_neither_path_nor_query(log: io.StringIO) -> None:
    routes = APIRouter()

    @routes.get("/v1/subjects/{sub}")
    def _subject(sub: str) -> str:
        return sub

    measures = [Measure("head_seq", "Head.", 4, {"log": "sessions"}), Measure("head_seq", "Head.", 5, {"log": "facts"})]
    with serving(Service("one", routes, measures=lambda: measures)) as url:
        httpx.get(f"{url}/v1/subjects/alice?token=hunter2", headers={"Authorization": "Bearer hunter3"})
        httpx.get(f"{url}/alice/hunter2")
        metrics = httpx.get(f"{url}/metrics").text
    seen = [(line["route"], line["status"]) for line in _lines(log) if line["message"] == "request"]
    assert seen == [("/v1/subjects/{sub}", 200), ("unknown", 404)]
    assert 'rescind_http_requests_total{method="GET",route="/v1/subjects/{sub}",status="200"} 1.0' in metrics
    assert 'rescind_head_seq{log="facts"} 5.0' in metrics
    assert not {word for word in ("alice", "hunter2", "hunter3") if word in log.getvalue() + metrics}


def test_a_taken_port_is_one_clear_line() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotStart, match=f"port {port}: Address already in use. .*--port"):
            listen("127.0.0.1", port)


def test_a_bad_certificate_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="--tls-cert"):
        server(FastAPI(), Streams(), tls_cert=tmp_path / "none.pem", tls_key=tmp_path / "none.pem")


def test_errors_are_logged_by_type_and_place() -> None:
    try:
        socket.inet_aton("hunter2")
    except OSError as error:
        record = logging.LogRecord(
            "services", logging.ERROR, __file__, 1, "failed", None, (type(error), error, error.__traceback__)
        )
    line = json.loads(JsonLines().format(record))
    assert (line["error"], line["level"], line["message"]) == ("OSError", "error", "failed")
    assert "test_errors_are_logged_by_type_and_place" in line["where"][0]
    assert "hunter2" not in json.dumps(line)

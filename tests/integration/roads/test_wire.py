"""Whatever comes back from another service's address: an answer of its own, or none, and no secret in what is said of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import pytest
from kit.certificates import tls
from kit.raw_server import HOLD, HTML, http_answer, raw_server

from services.roads.errors import NoAnswer
from services.roads.wire import Answer, Wire

SECRET = "Zm9yLW5vYm9keS1lbHNl"
HEADERS = {"Authorization": f"Bearer {SECRET}"}


def ask(url: str, *, patience_s: float = 5.0, clock: Callable[[], float] = time.monotonic) -> Answer:
    with closing(Wire("the service", url, patience_s=patience_s, clock=clock)) as wire:
        return wire.send("GET", "/v1/thing", headers=HEADERS, query={"iss": "https://id.example/a b"})


def trouble(answer: bytes, *, patience_s: float = 5.0) -> str:
    with raw_server(answer) as server, pytest.raises(NoAnswer) as found:
        ask(server.url, patience_s=patience_s)
    said = "".join(traceback.format_exception(found.value))
    assert SECRET not in said
    return str(found.value)


def test_a_whole_answer_of_json_is_one() -> None:
    with raw_server(http_answer(b'{"a":1}', status="429 Slow", headers={"Retry-After": "7"})) as server:
        answer = ask(server.url)
    assert (answer.status, answer.members, answer.retry_after) == (429, {"a": 1}, 7)
    assert server.asked[0].startswith(b"GET /v1/thing?iss=https%3A%2F%2Fid.example%2Fa+b HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        HTML,
        http_answer(b""),
        http_answer(b"[1]"),
        http_answer(b"null"),
        http_answer(b'{"a":1,"a":2}'),
        http_answer(b'{"a":NaN}'),
        http_answer(b'{"a":"\xff"}'),
        http_answer(b'{"a":' * 100_000),
        http_answer(b'{"a":1}', headers={"Transfer-Encoding": "chunked"}).replace(b"Content-Length: 7\r\n", b"")[:-7]
        + b"3\r\nabc\r\n0\r\n\r\n",
    ],
    ids=["html", "empty", "list", "null", "twice", "nan", "latin", "deep", "chunks"],
)
def test_what_is_no_json_object_is_none(answer: bytes) -> None:
    assert trouble(answer) == "the service is not who answers 200 at its address"


@pytest.mark.parametrize("status", ["302 Found", "401 Unauthorized", "409 Conflict", "502 Bad Gateway"])
def test_a_proxys_page_is_none_whatever_its_status(status: str) -> None:
    page = http_answer(b"<html>", status=status, headers={"Location": "http://127.0.0.1:1/", "WWW-Authenticate": "Basic"})
    assert trouble(page) == f"the service is not who answers {status[:3]} at its address"


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b'{"records":[]}')[:-1],
        http_answer(b'{"records":[]}')[:40],
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n{}",
    ],
    ids=["half a body", "half a head", "closed", "another protocol", "a bad head"],
)
def test_a_broken_answer_is_none(answer: bytes) -> None:
    assert trouble(answer) == "the service breaks off its answer"


def test_control_the_whole_of_the_broken_answer_is_one() -> None:
    with raw_server(http_answer(b'{"records":[]}')) as server:
        assert ask(server.url).expect(HTTPStatus.OK) == {"records": []}


def test_silence_is_given_up() -> None:
    assert trouble(HOLD, patience_s=0.2) == "the service does not answer in time"


def test_an_answer_that_trickles_is_given_up() -> None:
    """Every piece comes in time for itself; the whole does not."""
    times = iter([0.0, 4.9, 5.1])
    pieces = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    with raw_server(pieces) as server, pytest.raises(NoAnswer, match="in time"):
        ask(server.url, patience_s=5.0, clock=lambda: next(times, 9.9))


def test_nobody_there() -> None:
    with raw_server(HOLD) as server:
        url = server.url
    with pytest.raises(NoAnswer, match=r"^the service cannot be reached$"):
        ask(url)


@pytest.mark.parametrize(("largest", "fits"), [(10, False), (20, True)])
def test_an_answer_may_be_only_so_long(largest: int, fits: bool) -> None:
    with raw_server(http_answer(b'{"a":"01234567"}')) as server, closing(Wire("it", server.url, largest=largest)) as wire:
        if fits:
            assert wire.send("GET", "/", headers={}).status == 200
        else:
            with pytest.raises(NoAnswer, match=r"^it gives an answer that is too long$"):
                wire.send("GET", "/", headers={})


def test_a_base_url_may_have_a_path() -> None:
    with raw_server(http_answer(b"{}")) as server, closing(Wire("it", f"{server.url}/behind/")) as wire:
        wire.send("POST", "/v1/thing", headers={}, content=b"{}")
    assert server.asked[0].startswith(b"POST /behind/v1/thing HTTP/1.1\r\n")


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    ours, trusting = tls(tmp_path)
    with raw_server(http_answer(b"{}"), tls=ours) as server:
        with pytest.raises(NoAnswer, match=r"^the service has a certificate that is not trusted$"):
            ask(server.url)
        with closing(Wire("the service", server.url, tls=trusting)) as wire:
            assert wire.send("GET", "/", headers={}).status == 200


@pytest.mark.parametrize("value", [f"Bearer {SECRET}\r\nX: y", f"Bearer {SECRET}\0", f" {SECRET} \n"])
def test_a_header_that_cannot_be_sent_is_not_quoted(value: str) -> None:
    with raw_server(http_answer(b"{}")) as server, closing(Wire("it", server.url)) as wire, pytest.raises(NoAnswer) as found:
        wire.send("GET", "/", headers={"Authorization": value})
    assert SECRET not in "".join(traceback.format_exception(found.value))


def test_no_proxy_of_the_environment_gets_to_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(http_answer(b'{"who":"proxy"}')) as proxy, raw_server(http_answer(b'{"who":"service"}')) as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert ask(server.url).members == {"who": "service"}
        assert proxy.asked == []


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {"code": "token_not_valid"}, "the service does not accept this service's credential (401 token_not_valid)"),
        (403, {"code": "insufficient_scope"}, "the service does not allow this service that (403 insufficient_scope)"),
        (503, {"code": "retry"}, "the service answers 503 retry"),
        (400, {"error": "invalid_scope"}, "the service answers 400 invalid_scope"),
        (500, {"code": f"Bearer {SECRET}"}, "the service answers 500"),
        (500, {"code": ["retry"]}, "the service answers 500"),
    ],
)
def test_a_refusal_in_words(status: int, body: dict[str, object], said: str) -> None:
    with pytest.raises(NoAnswer) as found:
        Answer("the service", status, body).expect(HTTPStatus.OK)
    assert str(found.value) == said


def test_an_answer_shows_nothing_of_itself() -> None:
    assert SECRET not in repr(Answer("the service", 200, {"access_token": SECRET}))

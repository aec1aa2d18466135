"""What the express road makes of answers, and of posts that are too large."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from kit.raw_server import HOLD, HTML, http_answer, raw_server

from eventlog.port import Event, Recorded
from eventlog.relay import OtherHistory, PositionConflict, Post
from eventlog.source_mark import SourceMark
from rescind.position import BEGINNING, Position
from services.roads.errors import NoAnswer
from services.roads.express import ExpressSink, parts
from services.roads.peer import Peer
from services.roads.service_token import Granted, ServiceToken
from services.roads.wire import Wire

MARK = SourceMark(Position(1, 5), 0, BEGINNING, 3)
A_TOKEN = ServiceToken(lambda: Granted("a-token", 900))


@contextmanager
def sink_to(url: str) -> Iterator[ExpressSink]:
    with closing(Wire("the revocation service", url, patience_s=0.5)) as wire:
        yield ExpressSink(Peer(wire, A_TOKEN), "iss")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http_answer(b'{"code":"retry"}', status="503 Unavailable", headers={"Retry-After": "1"}), "answers 503 retry"),
        (http_answer(b"<html>", status="503 Unavailable"), "is not who answers 503"),
        (http_answer(b'{"code":"token_not_valid"}', status="401 No"), "does not accept this service's credential"),
        (http_answer(b'{"code":"too_large"}', status="413 No"), "answers 413 too_large"),
        (http_answer(b'{"position":"1.5"}', status="201 Created"), "answers 201"),
        (http_answer(b'{"position":"1.4"}'), "another position"),
        (http_answer(b'{"position":"1.6"}'), "another position"),
        (http_answer(b'{"position":"9.9"}'), "another position"),
        (http_answer(b'{"position":null}'), "no position"),
        (http_answer(b'{"position":15}'), "no position"),
        (http_answer(b'{"position":"1.05"}'), "no position"),
        (http_answer(b"{}"), "no position"),
        (http_answer(b'{"position":"1.5"}')[:-1], "breaks off its answer"),
        (http_answer(b'{"code":"conflict"}', status="409 No"), "answers 409 conflict"),
        (http_answer(b'{"code":"position_conflict"}', status="409 No"), "no position"),
        (http_answer(b'{"code":"position_conflict","fields":["1.2"]}', status="409 No"), "no position"),
        (http_answer(b'{"code":"position_conflict","fields":{"position":12}}', status="409 No"), "no position"),
        (HTML, "is not who answers 200"),
        (HOLD, "does not answer in time"),
        (b"", "breaks off its answer"),
    ],
)
def test_what_is_no_answer_moves_nothing(answer: bytes, said: str) -> None:
    with raw_server(answer) as server, sink_to(server.url) as sink, pytest.raises(NoAnswer, match=said) as found:
        sink.send(Post("iss", BEGINNING, (), MARK))
    assert "a-token" not in str(found.value)


def test_control_an_answer_is_one() -> None:
    conflict, other = (
        http_answer(b'{"code":"%s","fields":{"position":"1.2"}}' % code, status="409 Conflict")
        for code in (b"position_conflict", b"other_history")
    )
    with raw_server(http_answer(b'{"position":"1.5"}'), conflict, other) as server, sink_to(server.url) as sink:
        assert sink.send(Post("iss", BEGINNING, (), MARK)) == Position(1, 5)
        with pytest.raises(PositionConflict) as found:
            sink.send(Post("iss", BEGINNING, (), MARK))
        with pytest.raises(OtherHistory) as gone:
            sink.send(Post("iss", BEGINNING, (), MARK))
    assert found.value.position == gone.value.position == Position(1, 2)
    assert type(found.value) is PositionConflict


@pytest.mark.parametrize("answer", [b'{"position":7}', b"{}", b'{"position":"x"}', b'{"position":""}'])
def test_a_position_that_is_none_is_no_answer(answer: bytes) -> None:
    with raw_server(http_answer(answer)) as server, sink_to(server.url) as sink, pytest.raises(NoAnswer):
        sink.position()


def row(seq: int, *, size: int = 0) -> Recorded:
    return Recorded("s", seq, Event(id=str(seq), type="t", time=0, data=b"x" * size), Position(1, seq), b"h%d" % seq)


@pytest.mark.parametrize(
    ("sizes", "lasts"),
    [([], [9]), ([10], [9]), ([10] * 3, [9]), ([700_000] * 4, [1, 2, 3, 9]), ([400_000] * 4, [2, 9]), ([3_000_000], [9])],
)
def test_a_post_that_is_too_large_goes_in_parts(sizes: list[int], lasts: list[int]) -> None:
    rows = tuple(row(seq, size=size) for seq, size in enumerate(sizes, start=1))
    post = Post("iss", BEGINNING, rows, SourceMark(Position(1, 9), 77, BEGINNING, 3), b"h0", b"h9", Position(1, 4))
    cut = list(parts(post))
    assert [each.mark.position.seq for each in cut] == lasts
    assert [each.prev for each in cut] == [BEGINNING, *(each.mark.position for each in cut[:-1])]
    assert [each.hash for each in cut] == [b"h%d" % last for last in lasts]
    assert [each.prev_hash for each in cut] == [b"h0", *(each.hash for each in cut[:-1])]
    assert [each.replaces for each in cut] == [Position(1, 4)] + [None] * (len(cut) - 1)
    assert tuple(each for part in cut for each in part.records) == rows
    assert [each.mark.time for each in cut] == [0] * (len(cut) - 1) + [77]

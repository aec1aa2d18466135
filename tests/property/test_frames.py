"""Whatever the service writes, a verifier reads back, however the network cuts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescind.frames import Decoder, Delta, Frame, Heartbeat, InvalidFrame, Snapshot, encode
from rescind.position import Position

positions = st.builds(Position, st.integers(0, 2**40), st.integers(0, 2**40))
json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
changes = st.lists(st.dictionaries(st.text(), json_values, max_size=3), max_size=4).map(tuple)
frames = st.one_of(
    st.builds(Snapshot, st.text(), positions, st.text(), st.text()),
    st.builds(Delta, positions, positions, changes, st.text(), st.booleans()),
    st.builds(Heartbeat, positions, st.dictionaries(st.text(), st.integers()), st.booleans()),
)


@given(st.lists(frames, max_size=5), st.lists(st.integers(1, 40), min_size=1))
def test_frames_survive_any_cutting(sent: list[Frame], sizes: list[int]) -> None:
    stream = b": hello\n\n" + b"".join(map(encode, sent))
    decoder, received, at, turn = Decoder(), list[Frame](), 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        received += decoder.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert received == sent


@given(st.lists(frames, max_size=3))
def test_carriage_returns_are_read_too(sent: list[Frame]) -> None:
    assert Decoder().feed(b"".join(map(encode, sent)).replace(b"\n", b"\r\n")) == sent


@given(st.binary())
def test_rubbish_gives_frames_or_invalid_frame_and_nothing_else(rubbish: bytes) -> None:
    try:
        Decoder().feed(b"event: delta\ndata: " + rubbish + b"\n\n")
    except InvalidFrame:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b'{"from":"1.1","position":"1.2","changes":{},"mark":""}',
        b'{"from":"1.1","position":"1.2","changes":[1],"mark":""}',
        b'{"from":"1.1","position":"x","changes":[],"mark":""}',
        b'{"from":"1.1","position":"1.2","changes":"","mark":""}',
        b'{"position":"1.2","changes":[],"mark":""}',
        b"{",
        b"[" * 100_000,
    ],
)
def test_a_malformed_delta_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFrame):
        Decoder().feed(b"event: delta\ndata: " + data + b"\n\n")


def test_an_unknown_kind_is_skipped() -> None:
    assert Decoder().feed(b"event: weather\ndata: rain\n\nretry: 5\n\n") == []


def test_only_a_delta_has_an_id() -> None:
    position = Position(1, 2)
    assert b"\nid: 1.2\n" in encode(Delta(Position(1, 1), position, (), ""))
    assert b"\nid:" not in encode(Heartbeat(position, {}))
    assert b"\nid:" not in encode(Snapshot("/s", position, "", ""))

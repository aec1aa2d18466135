from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from eventlog.kafka.cloudevents import Marked, Message, Sent, decode, encode_mark, encode_record, source_of
from eventlog.kafka.errors import UnreadableMessage
from eventlog.port import Event, Recorded
from eventlog.source_mark import SourceMark
from rescind.position import Position

SMALL = st.integers(0, 10**17)
POSITIONS = st.builds(Position, SMALL, SMALL)
TEXTS = st.text(max_size=40)
YEARS_1_TO_9999 = st.integers(-62_135_596_800_000, 253_402_300_799_999)
EVENTS = st.builds(
    Event,
    id=TEXTS,
    type=TEXTS.filter(lambda text: text != "watermark.v1"),
    time=YEARS_1_TO_9999,
    subject=TEXTS,
    session=TEXTS,
    data=st.binary(max_size=80),
    personal=st.binary(max_size=80),
)
RECORDS = st.builds(Recorded, TEXTS, SMALL, EVENTS, POSITIONS, st.binary(max_size=32))
MARKS = st.builds(SourceMark, POSITIONS, SMALL, POSITIONS, SMALL)


@given(TEXTS, RECORDS, POSITIONS, st.none() | POSITIONS)
def test_a_record_comes_back_byte_for_byte(iss: str, recorded: Recorded, prev: Position, replaces: Position | None) -> None:
    message = encode_record(iss, recorded, prev, replaces=replaces)

    assert decode(message) == Sent(iss, prev, recorded, replaces)
    assert source_of(message) == iss
    assert message.value == recorded.event.data


@given(TEXTS, MARKS, POSITIONS)
def test_a_watermark_comes_back(iss: str, mark: SourceMark, prev: Position) -> None:
    assert decode(encode_mark(iss, mark, prev)) == Marked(iss, prev, mark)


@given(RECORDS, st.data())
def test_a_message_that_lost_or_changed_a_header_is_refused_or_reads_as_written(recorded: Recorded, data: st.DataObject) -> None:
    message = encode_record("i", recorded, Position(1, 1))
    nth = data.draw(st.integers(0, len(message.headers) - 1))
    name, _ = message.headers[nth]
    changed = data.draw(st.one_of(st.none(), st.binary(max_size=10)))
    there = [] if changed is None else [(name, changed)]
    damaged = replace(message, headers=(*message.headers[:nth], *there, *message.headers[nth + 1 :]))

    try:
        read = decode(damaged)
    except UnreadableMessage:
        return
    if isinstance(read, Sent):
        again = encode_record(read.iss, read.recorded, read.prev)
        assert telling(again) == telling(damaged)


def telling(message: Message) -> dict[str, bytes]:
    """What is read of the headers; an empty one says as much as a missing one."""
    derived = {"content-type", "ce_subject", "ce_partitionkey"}
    return {name: value for name, value in message.headers if name not in derived and value}


@given(st.binary(max_size=60), st.lists(st.tuples(TEXTS, st.binary(max_size=20)), max_size=5))
def test_junk_is_refused(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    try:
        decode(Message(None, value, tuple(headers)))
    except UnreadableMessage:
        return
    raise AssertionError

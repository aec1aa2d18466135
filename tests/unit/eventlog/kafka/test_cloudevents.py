from __future__ import annotations

import json
from dataclasses import replace

import pytest

from eventlog.kafka.cloudevents import Message, Sent, decode, encode_mark, encode_record, source_of
from eventlog.kafka.errors import UnreadableMessage
from eventlog.port import Event, Recorded
from eventlog.source_mark import SourceMark
from rescind.position import BEGINNING, Position

ISS = "https://issuer.example"
EVENT = Event(
    id="e1",
    type="session.revoked.v1",
    time=1_800_000_000_123,
    subject="s1",
    session="sid1",
    data=b'{"a":1}',
    personal=b"\x00\xff",
)
RECORD = Recorded("session-sid1", 3, EVENT, Position(1, 42), b"\x01" * 32)
REQUIRED = ("specversion", "id", "source", "type", "time", "position", "prev", "stream", "streamversion", "hash", "logsubject")
MARK = SourceMark(Position(1, 42), 1_800_000_000_000, Position(2, 7), 5)


def headers(message: Message) -> dict[str, str]:
    return {name: value.decode() for name, value in message.headers}


def without(message: Message, name: str) -> Message:
    return replace(message, headers=tuple(pair for pair in message.headers if pair[0] != name))


def changed(message: Message, name: str, value: bytes) -> Message:
    return replace(message, headers=tuple((each, value if each == name else old) for each, old in message.headers))


def test_a_record_is_a_cloudevent_in_binary_mode() -> None:
    message = encode_record(ISS, RECORD, Position(1, 40))

    assert (message.key, message.value) == (b"s1", b'{"a":1}')
    assert headers(message) == {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": "e1",
        "ce_source": ISS,
        "ce_type": "session.revoked.v1",
        "ce_time": "2027-01-15T08:00:00.123Z",
        "ce_subject": "sid1",
        "ce_partitionkey": "s1",
        "ce_position": "1.42",
        "ce_prev": "1.40",
        "ce_stream": "session-sid1",
        "ce_streamversion": "3",
        "ce_logsubject": "s1",
        "ce_session": "sid1",
        "ce_hash": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        "ce_personal": "AP8=",
    }


def test_what_is_unknown_is_left_out() -> None:
    bare = replace(RECORD, event=replace(EVENT, subject="", session="", personal=b""))

    message = encode_record(ISS, bare, BEGINNING)

    assert message.key == b"session-sid1"
    assert headers(message)["ce_subject"] == "session-sid1"
    assert not {"ce_logsubject", "ce_session", "ce_personal"} & set(headers(message))


def test_a_target_is_the_key() -> None:
    message = encode_record(ISS, RECORD, BEGINNING, target="session:i:sid1")

    assert (message.key, headers(message)["ce_partitionkey"]) == (b"session:i:sid1", "session:i:sid1")
    assert decode(message) == Sent(ISS, BEGINNING, RECORD)
    with pytest.raises(UnreadableMessage):
        decode(without(message, "ce_target"))


def test_attribute_names_are_what_cloudevents_allows() -> None:
    names = {name for name, _ in encode_record(ISS, RECORD, BEGINNING).headers} - {"content-type"}

    assert all(name.removeprefix("ce_").isalnum() and name.islower() for name in names)


def test_a_watermark_has_no_key_and_says_all_four() -> None:
    message = encode_mark(ISS, MARK, Position(1, 40))

    assert message.key is None
    assert headers(message)["ce_type"] == "watermark.v1"
    assert headers(message)["ce_position"] == "1.42"
    assert json.loads(message.value or b"") == {"applied": "2.7", "live_sessions": 5, "time": 1_800_000_000_000}


def test_only_numbered_records_travel() -> None:
    with pytest.raises(ValueError, match="numbered"):
        encode_record(ISS, replace(RECORD, position=None), BEGINNING)


@pytest.mark.parametrize(
    "message",
    [
        changed(encode_record(ISS, RECORD, BEGINNING), "ce_specversion", b"2.0"),
        changed(encode_record(ISS, RECORD, BEGINNING), "ce_position", b"1.042"),
        changed(encode_record(ISS, RECORD, BEGINNING), "ce_prev", b"soon"),
        changed(encode_record(ISS, RECORD, BEGINNING), "ce_streamversion", b"-1"),
        changed(encode_record(ISS, RECORD, BEGINNING), "ce_time", b"2027-01-15T08:00:00Z"),
        changed(encode_record(ISS, RECORD, BEGINNING), "ce_time", b"2027-13-15T08:00:00.000Z"),
        changed(encode_record(ISS, RECORD, BEGINNING), "ce_personal", b"!secret!"),
        changed(encode_record(ISS, RECORD, BEGINNING), "ce_stream", b"\xffsecret"),
        changed(encode_record(ISS, RECORD, BEGINNING), "ce_logsubject", b"another"),
        replace(encode_record(ISS, RECORD, BEGINNING), key=None),
        replace(encode_record(ISS, RECORD, BEGINNING), value=None),
        replace(encode_record(ISS, RECORD, BEGINNING), headers=encode_record(ISS, RECORD, BEGINNING).headers * 2),
        replace(encode_mark(ISS, MARK, BEGINNING), value=b"secret"),
        replace(encode_mark(ISS, MARK, BEGINNING), value=b"[]"),
        replace(encode_mark(ISS, MARK, BEGINNING), value=b'{"applied":"1.1","live_sessions":1,"time":true}'),
        replace(encode_mark(ISS, MARK, BEGINNING), value=b'{"applied":1,"live_sessions":1,"time":1}'),
        *(without(encode_record(ISS, RECORD, BEGINNING), f"ce_{name}") for name in REQUIRED),
    ],
)
def test_what_is_not_written_so_is_refused_without_quoting_it(message: Message) -> None:
    with pytest.raises(UnreadableMessage) as raised:
        decode(message)

    assert "secret" not in str(raised.value)


def test_a_message_without_a_source_may_be_ours() -> None:
    with pytest.raises(UnreadableMessage):
        source_of(without(encode_record(ISS, RECORD, BEGINNING), "ce_source"))

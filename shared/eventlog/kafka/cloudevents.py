"""Records and watermarks as Kafka messages: CloudEvents 1.0 in binary mode (its Kafka protocol binding, section 3.2). Pure.

The value is the event's data, byte for byte. Attributes of our own: `position`, `prev`, `stream`, `streamversion`,
`logsubject`, `session`, `target`, `hash`, `personal` (bytes as base64) and `replaces`.

`prev` is up to where everything for this partition was sent before: the record sent before, or the watermark before that. Whoever
has not come so far has missed something. `replaces`: the log was put back to an older state and has written this since; up to
that position the topic may hold others in its place.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eventlog.kafka.errors import UnreadableMessage
from eventlog.kafka.partitioning import key_of
from eventlog.port import Event, Recorded
from eventlog.source_mark import SourceMark
from rescind.position import Position

WATERMARK = "watermark.v1"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Message:
    """What Kafka keeps."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A record of the log of `iss`."""

    iss: str
    prev: Position
    recorded: Recorded
    replaces: Position | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """A watermark of `iss`."""

    iss: str
    prev: Position
    mark: SourceMark


def encode_record(iss: str, recorded: Recorded, prev: Position, *, target: str = "", replaces: Position | None = None) -> Message:
    """Write a numbered record; `target` is its key, where it has one. ValueError for one without a position."""
    if recorded.position is None:
        raise ValueError("only numbered records travel")
    event, key = recorded.event, target or key_of(recorded)
    attributes = {
        "id": event.id,
        "source": iss,
        "type": event.type,
        "time": _write_time(event.time),
        "subject": event.session or key,
        "partitionkey": key,
        "position": str(recorded.position),
        "prev": str(prev),
        "stream": recorded.stream,
        "streamversion": str(recorded.version),
        "hash": b64encode(recorded.hash).decode(),
    }
    there = {
        "logsubject": event.subject,
        "session": event.session,
        "target": target,
        "personal": b64encode(event.personal).decode(),
        "replaces": str(replaces or ""),
    }
    return _message(key.encode(), event.data, attributes | {name: text for name, text in there.items() if text})


def encode_mark(iss: str, mark: SourceMark, prev: Position) -> Message:
    """Write a watermark for one partition."""
    attributes = {
        "id": f"{mark.position}-{mark.time}",
        "source": iss,
        "type": WATERMARK,
        "position": str(mark.position),
        "prev": str(prev),
    }
    data = {"applied": str(mark.applied), "live_sessions": mark.live_sessions, "time": mark.time}
    return _message(None, json.dumps(data, separators=(",", ":")).encode(), attributes)


def source_of(message: Message) -> str:
    """Whose message this is; UnreadableMessage."""
    return _text(dict(message.headers), "source")


def decode(message: Message) -> Sent | Marked:
    """Read a message back; UnreadableMessage, which quotes nothing of it, for anything that `encode_…` does not write."""
    headers = dict(message.headers)
    try:
        if len(headers) != len(message.headers) or _text(headers, "specversion") != "1.0":
            raise UnreadableMessage("not a CloudEvent of version 1.0, or a header twice")
        if message.value is None:
            raise UnreadableMessage("a message without data")
        iss, prev = _text(headers, "source"), Position.parse(_text(headers, "prev"))
        if _text(headers, "type") == WATERMARK:
            return Marked(iss, prev, _mark(headers, message.value))
        replaces = _text(headers, "replaces", "")
        recorded = _recorded(headers, message.key, message.value)
        return Sent(iss, prev, recorded, Position.parse(replaces) if replaces else None)
    except (ValueError, KeyError, TypeError) as error:
        msg = f"a header or the data of a watermark is malformed: {type(error).__name__}"
        raise UnreadableMessage(msg) from None


def _message(key: bytes | None, value: bytes, attributes: Mapping[str, str]) -> Message:
    headers = [("content-type", b"application/json"), ("ce_specversion", b"1.0")]
    return Message(key, value, (*headers, *((f"ce_{name}", text.encode()) for name, text in attributes.items())))


def _recorded(headers: Mapping[str, bytes], key: bytes | None, value: bytes) -> Recorded:
    event = Event(
        id=_text(headers, "id"),
        type=_text(headers, "type"),
        time=_read_time(_text(headers, "time")),
        subject=_text(headers, "logsubject", ""),
        session=_text(headers, "session", ""),
        data=value,
        personal=b64decode(_text(headers, "personal", ""), validate=True),
    )
    recorded = Recorded(
        _text(headers, "stream"),
        _number(_text(headers, "streamversion")),
        event,
        Position.parse(_text(headers, "position")),
        b64decode(_text(headers, "hash"), validate=True),
    )
    if key != _text(headers, "target", key_of(recorded)).encode():
        raise ValueError
    return recorded


def _mark(headers: Mapping[str, bytes], value: bytes) -> SourceMark:
    data = json.loads(value)
    time, live_sessions = data["time"], data["live_sessions"]
    if type(time) is not int or type(live_sessions) is not int:
        raise TypeError
    return SourceMark(Position.parse(_text(headers, "position")), time, Position.parse(data["applied"]), live_sessions)


def _text(headers: Mapping[str, bytes], name: str, default: str | None = None) -> str:
    found = headers.get(f"ce_{name}")
    if found is not None:
        try:
            return found.decode()
        except UnicodeDecodeError:
            pass
    elif default is not None:
        return default
    msg = f"the header ce_{name} is missing or no text"
    raise UnreadableMessage(msg)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return int(text)


def _write_time(time: int) -> str:
    """RFC 3339 with milliseconds."""
    return (_EPOCH + timedelta(milliseconds=time)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_time(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise ValueError
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)

"""A row of a log as JSON, byte for byte: how services hand their logs to one another. Pure."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping

from eventlog.port import Event, Recorded
from rescind.position import Position

_LARGEST = 2**63 - 1


def row_json(recorded: Recorded) -> dict[str, object]:
    """Write a numbered record; `data`, `personal` (still sealed) and `hash` in base64."""
    event = recorded.event
    return {
        "position": str(recorded.position),
        "stream": recorded.stream,
        "version": recorded.version,
        "id": event.id,
        "type": event.type,
        "time": event.time,
        "subject": event.subject,
        "session": event.session,
        "data": b64encode(event.data).decode(),
        "personal": b64encode(event.personal).decode(),
        "hash": b64encode(recorded.hash).decode(),
    }


def read_row(row: object) -> Recorded:
    """Read one back; ValueError, which quotes nothing, for anything else. A member that we do not know is of a newer version."""
    if not isinstance(row, dict):
        raise ValueError("a row is an object")  # noqa: TRY004  (one error for every way to be malformed)
    event = Event(
        id=_text(row, "id"),
        type=_text(row, "type"),
        time=_whole(row, "time"),
        subject=_text(row, "subject"),
        session=_text(row, "session"),
        data=_bytes(row, "data"),
        personal=_bytes(row, "personal"),
    )
    position = Position.parse(_text(row, "position"))
    return Recorded(_text(row, "stream"), _whole(row, "version"), event, position, _bytes(row, "hash"))


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    if isinstance(value, str):
        return value
    msg = f"{name} is no text"
    raise ValueError(msg)


def _whole(row: Mapping[str, object], name: str) -> int:
    value = row.get(name)
    if type(value) is int and 0 <= value <= _LARGEST:  # `type`: True is an int to isinstance
        return value
    msg = f"{name} is no whole number"
    raise ValueError(msg)


def _bytes(row: Mapping[str, object], name: str) -> bytes:
    try:
        return b64decode(_text(row, name), validate=True)
    except ValueError:
        msg = f"{name} is no base64"
        raise ValueError(msg) from None

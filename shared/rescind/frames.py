"""The feed's frames as server-sent events, written and read side by side (docs/protocol.md).

A frame of an unknown kind is skipped: it cannot hide a change, since the verifier is only fresh at the position it has applied.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from rescind.position import Position

Json = Mapping[str, object]

MAX_FRAME = 64 * 1024 * 1024
"""Bytes of one frame that a reader accepts."""


class InvalidFrame(ValueError):
    """The feed sent what is no frame: read again from the last position."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Load the list from `url` (relative to the feed's), which stands at `position` and has this SHA-256 `digest` in hex."""

    url: str
    position: Position
    digest: str
    mark: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed from `origin` to `position`, in the JSON form of `rescind.changes`. `ack`: somebody waits for the answer."""

    origin: Position
    position: Position
    changes: tuple[Json, ...]
    mark: str
    ack: bool = False


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The service's head, and the age in milliseconds of each issuer's log. Information only: it proves no freshness."""

    position: Position
    ages: Mapping[str, int]
    ack: bool = False


Frame = Snapshot | Delta | Heartbeat


def encode(frame: Frame) -> bytes:
    """Write one frame. Only a delta carries an `id:`, so that `Last-Event-ID` resumes from what was applied."""
    if isinstance(frame, Snapshot):
        data: dict[str, object] = {"url": frame.url, "position": str(frame.position), "digest": frame.digest, "mark": frame.mark}
        return _event("snapshot", data)
    ack = {"ack": True} if frame.ack else {}
    if isinstance(frame, Heartbeat):
        return _event("heartbeat", {"position": str(frame.position), "ages": dict(frame.ages), **ack})
    body = {"from": str(frame.origin), "position": str(frame.position), "changes": list(frame.changes), "mark": frame.mark, **ack}
    return _event("delta", body, id_line=f"id: {frame.position}\n")


class Decoder:
    """Reads frames out of a stream that arrives in pieces of any size."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._event = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[Frame]:
        """Return the frames that `piece` completes. InvalidFrame for anything malformed; the decoder is done for then."""
        frames: list[Frame] = []
        *lines, rest = piece.split(b"\n")
        for line in lines:
            whole = bytes(self._rest) + line
            self._rest.clear()
            frame = self._line(whole.removesuffix(b"\r"))
            if frame is not None:
                frames.append(frame)
        self._rest += rest
        if self._size + len(self._rest) > MAX_FRAME:
            msg = f"a frame of the feed is larger than {MAX_FRAME} bytes"
            raise InvalidFrame(msg)
        return frames

    def _line(self, line: bytes) -> Frame | None:
        if not line:
            frame = _frame(self._event, b"\n".join(self._data)) if self._data else None
            self._event, self._data, self._size = "", [], 0
            return frame
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._event = value.decode(errors="replace")
        elif name == b"data":
            self._data.append(value)
            self._size += len(value)
        return None


def _event(name: str, data: Json, *, id_line: str = "") -> bytes:
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return f"event: {name}\n{id_line}data: {text}\n\n".encode()


def _frame(event: str, data: bytes) -> Frame | None:
    reader = _READERS.get(event)
    if reader is None:
        return None
    try:
        return reader(cast("Json", json.loads(data)))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        msg = f"a {event} of the feed is malformed"
        raise InvalidFrame(msg) from error


def _snapshot(data: Json) -> Snapshot:
    return Snapshot(_text(data["url"]), Position.parse(_text(data["position"])), _text(data["digest"]), _text(data["mark"]))


def _delta(data: Json) -> Delta:
    changes = data["changes"]
    if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
        raise TypeError
    origin, position = Position.parse(_text(data["from"])), Position.parse(_text(data["position"]))
    return Delta(origin, position, tuple(changes), _text(data["mark"]), data.get("ack") is True)


def _heartbeat(data: Json) -> Heartbeat:
    ages = data["ages"]
    if not isinstance(ages, dict) or not all(type(age) is int for age in ages.values()):
        raise TypeError
    return Heartbeat(Position.parse(_text(data["position"])), ages, data.get("ack") is True)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_READERS: Mapping[str, Callable[[Json], Frame]] = {"snapshot": _snapshot, "delta": _delta, "heartbeat": _heartbeat}

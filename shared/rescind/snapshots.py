"""The binary form of the whole revocation list: canonical, so that equal lists are equal bytes.

    8 bytes   RESCIND1
    4 bytes   n, little-endian
    n bytes   JSON, keys sorted, no spaces, ASCII: {"changes": [...], "ended": [[iss, bytes], ...], "position": "EPOCH.SEQ"}
    ...       for each of `ended`: so many bytes, the numbers of that issuer's ended sessions (`rescind.numbers`)

`ended` is sorted by issuer, `changes` (`rescind.changes`) by their own JSON.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rescind.changes import decode_change, encode_change
from rescind.errors import InvalidFeed
from rescind.numbers import NumberSet
from rescind.position import Position
from rescind.verdicts import Change

_MAGIC = b"RESCIND1"
_HEAD = len(_MAGIC) + 4


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A list's content. `ended`: per issuer the numbers of sessions that ended for good; `changes`: everything else."""

    position: Position
    ended: Mapping[str, NumberSet]
    changes: Sequence[Change]


def encode(snapshot: Snapshot) -> bytes:
    """Write a snapshot."""
    numbers = [(iss, snapshot.ended[iss].to_bytes()) for iss in sorted(snapshot.ended)]
    changes = sorted(map(_dump, map(encode_change, snapshot.changes)))
    ended = _dump([[iss, len(data)] for iss, data in numbers])
    text = f'{{"changes":[{",".join(changes)}],"ended":{ended},"position":"{snapshot.position}"}}'.encode("ascii")
    return b"".join((_MAGIC, struct.pack("<I", len(text)), text, *(data for _, data in numbers)))


def decode(data: bytes) -> Snapshot:
    """Read a snapshot; InvalidFeed for anything else. That it is canonical is the caller's to check, by writing it again."""
    if not data.startswith(_MAGIC) or len(data) < _HEAD:
        raise InvalidFeed("this is no snapshot")
    (length,) = struct.unpack_from("<I", data, len(_MAGIC))
    at = _HEAD + length
    try:
        content = json.loads(data[_HEAD:at].decode("ascii"))
        position = Position.parse(content["position"])
        changes = [decode_change(change) for change in content["changes"]]
        ended = {}
        for iss, size in content["ended"]:
            ended[iss] = NumberSet.from_bytes(data[at : at + size])
            at += size
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InvalidFeed("a snapshot has the wrong shape") from error
    return Snapshot(position, ended, changes)


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))

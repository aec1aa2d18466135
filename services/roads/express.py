"""The express road: an issuer's relay posts what touches the revocation list to the revocation service (/v1/facts)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus

from eventlog.port import Recorded
from eventlog.relay import OtherHistory, PositionConflict, Post
from eventlog.row_json import row_json
from rescind.position import Position
from services.roads.peer import Peer
from services.roads.wire import Answer

_PATH = "/v1/facts"
_CONFLICTS = {"position_conflict": PositionConflict, "other_history": OtherHistory}
_MOST_ROWS = 500
_MOST_BYTES = 2 * 1024 * 1024  # of data; the service takes bodies of 4 MB


@dataclass(frozen=True, slots=True)
class ExpressSink:
    """A `eventlog.relay.Sink`. The peer's token needs the scope facts:write and must be of the client that speaks for `iss`."""

    peer: Peer
    iss: str

    def position(self) -> Position | None:
        """How far the revocation service is in this issuer's log; None where it has nothing. NoAnswer."""
        answer = self.peer.get(_PATH, {"iss": self.iss})
        found = answer.expect(HTTPStatus.OK).get("position", "")
        return None if found is None else _position(answer, found)

    def send(self, post: Post) -> Position:
        """Hand a post over. NoAnswer, after which it may have arrived or not, or a part of it; else see Sink."""
        for part in parts(post):
            reached = self._send(part)
        return reached

    def _send(self, post: Post) -> Position:
        answer = self.peer.post(_PATH, post_json(post))
        if answer.status == HTTPStatus.CONFLICT and answer.code in _CONFLICTS:
            raise _CONFLICTS[answer.code](_conflict(answer))
        reached = _position(answer, answer.expect(HTTPStatus.OK).get("position"))
        if reached != post.mark.position:
            raise answer.unreadable("another position than it was sent")
        return reached


def parts(post: Post) -> Iterator[Post]:
    """The post, or smaller ones where it is more than the service takes at once; only the last says up to which time."""
    rows: list[Recorded] = []
    rest, size = post, 0
    for row in post.records:
        weight = 2 * (len(row.event.data) + len(row.event.personal))
        if rows and (size + weight > _MOST_BYTES or len(rows) == _MOST_ROWS):
            mark = replace(post.mark, position=rows[-1].position or rest.prev, time=0)
            yield replace(rest, records=tuple(rows), mark=mark, hash=rows[-1].hash)
            rest = replace(post, prev=mark.position, prev_hash=rows[-1].hash, replaces=None)
            rows, size = [], 0
        rows.append(row)
        size += weight
    yield replace(rest, records=tuple(rows))


def post_json(post: Post) -> dict[str, object]:
    """A post as `POST /v1/facts` takes it."""
    mark = post.mark
    return {
        "iss": post.iss,
        "prev": str(post.prev),
        "records": [row_json(each) for each in post.records],
        "mark": {
            "position": str(mark.position),
            "time": mark.time,
            "applied": str(mark.applied),
            "live_sessions": mark.live_sessions,
        },
        "prev_hash": b64encode(post.prev_hash).decode(),
        "hash": b64encode(post.hash).decode(),
        "replaces": None if post.replaces is None else str(post.replaces),
    }


def _conflict(answer: Answer) -> Position:
    fields = answer.members.get("fields")
    return _position(answer, fields.get("position") if isinstance(fields, dict) else None)


def _position(answer: Answer, text: object) -> Position:
    try:
        return Position.parse(text if isinstance(text, str) else "")
    except ValueError:
        raise answer.unreadable("no position") from None

"""A relay's receiver in memory, strict about positions, and what can befall a post on its way."""

from __future__ import annotations

from enum import Enum

from eventlog.relay import OtherHistory, PositionConflict, Post
from eventlog.source_mark import SourceMark
from rescind.position import BEGINNING, Position


class Fault(Enum):
    """What happens to a post."""

    NONE = "none"
    LOST = "lost"  # it never arrives
    UNANSWERED = "unanswered"  # it arrives, its answer does not


class Receiver:
    """A Sink that stores only what follows what it has."""

    def __init__(self) -> None:
        self.at: Position | None = None
        self.hash = b""
        self.ids: list[str] = []
        self.posts: list[Post] = []  # as they arrived
        self.marks: list[SourceMark] = []
        self.faults: list[Fault] = []  # of the posts to come

    def position(self) -> Position | None:
        return self.at

    def send(self, post: Post) -> Position:
        fault = self.faults.pop(0) if self.faults else Fault.NONE
        if fault is Fault.LOST:
            raise ConnectionRefusedError
        self.posts.append(post)
        if (post.replaces or post.prev) != (self.at or BEGINNING):
            raise PositionConflict(self.at or BEGINNING)
        if post.replaces is None and self.hash and post.prev_hash and self.hash != post.prev_hash:
            raise OtherHistory(post.prev)
        self.ids += [each.event.id for each in post.records]
        self.marks.append(post.mark)
        self.at, self.hash = post.mark.position, post.hash
        if fault is Fault.UNANSWERED:
            raise ConnectionResetError
        return self.at

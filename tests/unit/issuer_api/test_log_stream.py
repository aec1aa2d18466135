from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from kit.pairs import NOW

from eventlog.errors import StoreUnavailable
from services.issuer.api.log_stream import RECHECK_S, Follow
from services.issuer.contexts import LogQuery
from services.issuer.views import LogEntry, LogPage


def entry(seq: int) -> LogEntry:
    return LogEntry(
        position=f"1.{seq}", id=f"e{seq}", type="TokenIssued", time=NOW, sub=None, sid=None, data={"text": "a\nb"}, personal=None
    )


@dataclass
class Scene:
    """A log, a clock that each reading moves, and a caller who may read until he may not."""

    pages: list[LogPage | Exception]
    step: float = 0.0
    allowed: bool = True
    now: float = 0.0
    asked: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self, query: LogQuery) -> LogPage:
        self.asked.append(query.after)
        self.now += self.step
        if not self.pages:
            self.stopped.set()
            return LogPage(entries=(), next=None)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page

    def still_allowed(self) -> bool:
        return self.allowed

    def frames(self) -> list[bytes]:
        async def collect() -> list[bytes]:
            follow = Follow(self.read, self.still_allowed, LogQuery(after="1.0"), clock=lambda: self.now)
            return [frame async for frame in follow.frames(self.stopped)]

        return asyncio.run(asyncio.wait_for(collect(), 30))


def events(frames: list[bytes]) -> list[str]:
    return [frame.partition(b"\n")[0].decode() for frame in frames if frame.startswith(b"id: ")]


def page(*seqs: int) -> LogPage:
    return LogPage(entries=tuple(map(entry, seqs)), next=f"1.{seqs[-1]}")


def test_it_goes_on_after_the_last_event() -> None:
    scene = Scene([page(1, 2), page(3)])
    frames = scene.frames()
    assert events(frames) == ["id: 1.1", "id: 1.2", "id: 1.3"]
    assert scene.asked == ["1.0", "1.2", "1.3"]


def test_a_frame_is_three_lines_whatever_the_event_holds() -> None:
    frame = next(frame for frame in Scene([page(1)]).frames() if frame.startswith(b"id"))
    assert frame.count(b"\n") == 4
    assert b'"text":"a\\nb"' in frame


@pytest.mark.parametrize(("allowed", "seen"), [(True, 3), (False, 1)])
def test_it_does_not_outlive_its_token(allowed: bool, seen: int) -> None:
    scene = Scene([page(1), page(2), page(3)], step=RECHECK_S + 1, allowed=allowed)
    assert len(events(scene.frames())) == seen


def test_a_token_is_not_asked_about_for_every_page() -> None:
    assert len(events(Scene([page(1), page(2), page(3)], step=0.1, allowed=False).frames())) == 3


def test_it_ends_when_the_database_is_away() -> None:
    assert events(Scene([page(1), StoreUnavailable("away"), page(2)]).frames()) == ["id: 1.1"]


def test_it_ends_when_the_service_stops() -> None:
    scene = Scene([page(1)])
    scene.stopped.set()
    assert scene.frames() == [b": alive\n\n"]

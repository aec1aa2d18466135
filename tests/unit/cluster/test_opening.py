"""A service listens before it can open, says what it waits for, and answers everything else with `retry`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import httpx
from fastapi import APIRouter
from kit.serving import served
from kit.waiting import until

from eventlog.errors import EventLogError, StoreUnavailable
from services.cluster.opening import Opened, Opening
from services.loops import Loops
from services.runtime import CannotStart, Service, Streams
from services.server import listen


class Door:
    """Opens once there is no trouble any more."""

    def __init__(self, troubles: Sequence[CannotStart | EventLogError]) -> None:
        self.troubles = list(troubles)
        self.closed = 0

    def open(self, stack: ExitStack) -> Opened:
        stack.callback(self._close)
        if self.troubles:
            raise self.troubles[0]
        routes = APIRouter()
        routes.get("/v1/thing")(lambda: {"open": True})
        return Opened([Service("room", routes)])

    def _close(self) -> None:
        self.closed += 1


def test_it_waits_visibly_and_opens_when_it_can() -> None:
    door, streams = Door([CannotStart("--credential is missing."), StoreUnavailable("away")]), Streams()
    opening = Opening("room", door.open, streams)
    loops, listener = Loops([opening.loop]), listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def missing() -> object:
        return httpx.get(f"{url}/readyz").json()["missing"]

    with served(opening, streams, loops, listener):
        until(lambda: missing() == {"room: start": "--credential is missing."})
        assert httpx.get(f"{url}/livez").status_code == 200
        refused = httpx.get(f"{url}/v1/thing")
        assert (refused.status_code, refused.json()["code"]) == (503, "retry")
        door.troubles.pop(0)
        until(lambda: missing() == {"room: start": "The database cannot be used: away."})
        door.troubles.pop(0)
        until(lambda: httpx.get(f"{url}/v1/thing").json() == {"open": True})
        assert httpx.get(f"{url}/readyz").status_code == 200
        before = door.closed
        assert before >= 2, "what was opened for nothing is closed"
    assert door.closed == before + 1

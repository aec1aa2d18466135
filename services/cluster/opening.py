"""A service that starts before what it needs: it listens at once, and says in /readyz what it waits for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from eventlog.backoff import backoff
from eventlog.errors import EventLogError
from services.application import application
from services.loops import Loops
from services.observing import PROBES
from services.problems import render, retry
from services.runtime import CannotStart, Loop, Service, Streams

logger = logging.getLogger(__name__)

_LONGEST_WAIT_S = 2.0
_STOP_S = 8.0  # less than the process gives to this loop itself


@dataclass(frozen=True, slots=True)
class Opened:
    """What a service consists of. `dress` adds to the application what is not a room."""

    services: Sequence[Service]
    dress: Callable[[FastAPI], None] = lambda _: None


class Opening:
    """The application of a process, and the loop that opens it; CannotStart and EventLogError of `open_` are reasons to wait."""

    def __init__(self, name: str, open_: Callable[[ExitStack], Opened], streams: Streams) -> None:
        self._name = name
        self._open = open_
        self._streams = streams
        self._waits = "It begins to start."
        waiting = Service(name, APIRouter(), ready=self._missing)
        self._waiting: ASGIApp = application([waiting], Loops([]), streams)
        self._app: ASGIApp | None = None

    @property
    def loop(self) -> Loop:
        """What opens, runs and closes it."""
        return Loop(f"{self._name} opening", self._run)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the service, or, before there is one, only the probes."""
        if self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] != "http" or scope["path"] in PROBES:
            await self._waiting(scope, receive, send)
        else:
            await render(scope["path"], retry())(scope, receive, send)

    def _run(self, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            with ExitStack() as stack:
                try:
                    opened = self._open(stack)
                except (CannotStart, EventLogError) as error:
                    self._say(error)
                else:
                    self._serve(opened, stop)
                    return
            failures += 1
            stop.wait(min(backoff(failures), _LONGEST_WAIT_S))

    def _serve(self, opened: Opened, stop: threading.Event) -> None:
        loops = Loops([loop for service in opened.services for loop in service.loops])
        app = application(opened.services, loops, self._streams)
        opened.dress(app)
        loops.start()
        self._app = app
        stop.wait()
        loops.stop(_STOP_S)

    def _say(self, error: CannotStart | EventLogError) -> None:
        words = str(error) if isinstance(error, CannotStart) else f"The database cannot be used: {error}."
        if words != self._waits:
            self._waits = words
            logger.warning("it waits", extra={"fields": {"why": words}})

    def _missing(self) -> Mapping[str, str]:
        return {"start": self._waits}

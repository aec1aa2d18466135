"""/v1/log/stream: follow the session log live, as server-sent events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse

from eventlog.errors import EventLogError
from rescind.errors import Denied
from services.issuer.api.documented import machine
from services.issuer.api.fields import Plain
from services.issuer.api.log import Wanted, event_json, reader_of_personal
from services.issuer.api.parts import Parts
from services.issuer.api.routing import machine_routes
from services.issuer.contexts import LogQuery
from services.issuer.errors import IssuerError
from services.issuer.views import LogEntry, LogPage
from services.principal import Principal
from services.problems import retry

AT_ONCE = 20
"""Streams open at one time; each asks the database twice a second."""

PAUSE_S = 0.5
RECHECK_S = 5.0
_ALIVE = b": alive\n\n"
_UNBUFFERED = {"X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Follow:
    """One stream. `still_allowed` asks again about the caller's token: a stream does not outlive it."""

    read: Callable[[LogQuery], LogPage]
    still_allowed: Callable[[], bool]
    query: LogQuery
    clock: Callable[[], float] = time.monotonic

    async def frames(self, stopped: asyncio.Event) -> AsyncIterator[bytes]:
        """Events as they come, and a comment while none come, until the caller may no longer read or the service stops."""
        query, checked = self.query, self.clock()
        yield _ALIVE  # so that the headers go out at once
        while not stopped.is_set():
            is_due = self.clock() - checked > RECHECK_S
            page = await run_in_threadpool(self._next, query, check=is_due)
            if page is None:
                return  # the client comes back with Last-Event-ID
            if is_due:
                checked = self.clock()
                yield _ALIVE
            for entry in page.entries:
                yield _frame(entry)
                query = replace(query, after=entry.position)
            if page.next is None:
                await _pause(stopped)

    def _next(self, query: LogQuery, *, check: bool) -> LogPage | None:
        """The next page; None when the caller may not read it any more, or nobody can."""
        try:
            return self.read(query) if not check or self.still_allowed() else None
        except (EventLogError, IssuerError):
            return None


def _frame(entry: LogEntry) -> bytes:
    data = json.dumps(event_json(entry), separators=(",", ":"))
    return f"id: {entry.position}\nevent: {entry.type}\ndata: {data}\n\n".encode()


async def _pause(stopped: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopped.wait(), PAUSE_S)
    except TimeoutError:
        return


def routes(parts: Parts) -> APIRouter:
    """Follow."""
    api = machine_routes()
    may_read = parts.access.require("log:read")
    open_now: set[int] = set()

    @api.get("/v1/log/stream", response_class=StreamingResponse, responses=machine(400, 401, 403))
    async def stream(
        wanted: Annotated[Wanted, Query()],
        request: Request,
        caller: Annotated[Principal, Depends(may_read)],
        last_event_id: Annotated[Plain | None, Header()] = None,
    ) -> Response:
        """Events from a position on, and then as they happen; `Last-Event-ID` resumes."""
        if len(open_now) >= AT_ONCE:
            raise retry()
        who = await run_in_threadpool(reader_of_personal, parts, caller)
        query = replace(wanted.query(), after=last_event_id or wanted.after)
        await run_in_threadpool(parts.log.read, replace(query, limit=1), with_personal_for=None)  # refuse a bad query as such
        token = request.headers["authorization"].partition(" ")[2].strip()
        follow = Follow(
            read=lambda asked: parts.log.read(asked, with_personal_for=who),
            still_allowed=lambda: not isinstance(parts.access.check(token), Denied),
            query=query,
        )
        return StreamingResponse(_counted(parts, follow, open_now), media_type="text/event-stream", headers=_UNBUFFERED)

    return api


async def _counted(parts: Parts, follow: Follow, open_now: set[int]) -> AsyncIterator[bytes]:
    stopped = asyncio.Event()
    open_now.add(id(stopped))
    try:
        with parts.streams.opened(stopped.set):
            async for frame in follow.frames(stopped):
                yield frame
    finally:
        open_now.discard(id(stopped))

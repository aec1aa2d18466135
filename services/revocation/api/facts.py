"""/v1/facts, the express road from an issuer's relay; /v1/revocation-log, the way back and the copy for everybody else."""

# No `from __future__ import annotations`: FastAPI resolves these annotations in the scope of the function that they stand in.
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import Base64Bytes, Field

from eventlog.port import Checkpoint, Event, Recorded
from eventlog.relay import Post
from eventlog.row_json import row_json
from eventlog.source_mark import SourceMark
from rescind.position import BEGINNING, Position
from services.principal import Principal
from services.revocation.api.fields import Body, Filter, Name, Place
from services.revocation.api.parts import Parts
from services.revocation.api.routing import refusals, routes_of

_LARGEST = 2**63 - 1
Whole = Annotated[int, Field(ge=0, le=_LARGEST)]
Base64 = Annotated[Base64Bytes, Field(strict=False)]


class RecordBody(Body):
    """A row of the session log, as /v1/log/records has it."""

    position: Place
    stream: Name
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    id: Name
    type: Name
    time: Whole
    subject: Filter = ""
    session: Filter = ""
    data: Base64
    personal: Base64 = b""
    hash: Base64 = b""

    def recorded(self) -> Recorded:
        """As the log's reader gives it."""
        event = Event(
            id=self.id,
            type=self.type,
            time=self.time,
            subject=self.subject,
            session=self.session,
            data=self.data,
            personal=self.personal,
        )
        return Recorded(self.stream, self.version, event, Position.parse(self.position), self.hash)


class MarkBody(Body):
    """See eventlog.relay.SourceMark."""

    position: Place
    time: Whole
    applied: Place
    live_sessions: Whole


class PostBody(Body):
    """See eventlog.relay.Post."""

    iss: Name
    prev: Place
    records: Annotated[list[RecordBody], Field(max_length=1000)]
    mark: MarkBody
    prev_hash: Base64 = b""
    hash: Base64 = b""
    replaces: Place | None = None

    def post(self) -> Post:
        """As the intake takes it."""
        mark = SourceMark(
            Position.parse(self.mark.position), self.mark.time, Position.parse(self.mark.applied), self.mark.live_sessions
        )
        replaces = None if self.replaces is None else Position.parse(self.replaces)
        records = tuple(each.recorded() for each in self.records)
        return Post(self.iss, Position.parse(self.prev), records, mark, self.prev_hash, self.hash, replaces)


def routes(parts: Parts) -> APIRouter:
    """Take facts, give facts."""
    api = routes_of("logs")
    service = parts.revocation
    may_send = parts.access.require("facts:write")
    may_ask = parts.access.require("facts:write", "log:replicate")
    may_copy = parts.access.require("log:replicate")

    @api.post("/v1/facts", responses=refusals(409, 422))
    def facts(body: PostBody, caller: Annotated[Principal, Depends(may_send)]) -> JSONResponse:
        """Take what an issuer's log says since `prev`; 409 names the position to go on from."""
        return JSONResponse({"position": str(service.intake.accept(body.post(), client_id=caller.client_id))})

    @api.get("/v1/facts")
    def position(iss: Name, _: Annotated[Principal, Depends(may_ask)]) -> JSONResponse:
        """How far an issuer's log is here; null where nothing is."""
        found = service.intake.position(iss)
        return JSONResponse({"position": str(found) if found else None})

    @api.get("/v1/revocation-log")
    def revocation_log(
        _: Annotated[Principal, Depends(may_copy)],
        after: Place = str(BEGINNING),
        limit: Annotated[int, Query(ge=1, le=1000)] = 500,
        wait: Annotated[float, Query(ge=0, le=10)] = 0.0,
    ) -> JSONResponse:
        """Rows of the fact log after a position; waits so many seconds for the first. `next` is where to go on."""
        batch = service.log.read(Checkpoint(after), limit=limit, wait=wait)
        return JSONResponse({"records": [row_json(each) for each in batch.records], "next": batch.checkpoint})

    return api

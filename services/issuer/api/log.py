"""/v1/log: reading the session log; /v1/log/records and /v1/subject-keys: copying it, and opening what is sealed in it."""

from base64 import b64encode
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from eventlog.row_json import row_json
from rescind.position import Position
from services.issuer.api.callers import author
from services.issuer.api.documented import machine
from services.issuer.api.fields import MachineBody, Plain, Time
from services.issuer.api.parts import Parts
from services.issuer.api.routing import machine_routes
from services.issuer.contexts import LogQuery
from services.issuer.errors import InvalidRequest
from services.issuer.views import LogEntry
from services.principal import Principal
from services.times import iso

PERSONAL = "log:personal"
_TIMES = frozenset({"expires"})


class Wanted(BaseModel):
    """Which events. `type` is an event's name, such as TokenRefreshed; `since` is inclusive, `until` exclusive."""

    model_config = ConfigDict(extra="forbid")

    after: Plain = ""
    limit: int = Field(100, ge=1, le=1000)
    sub: Plain = ""
    sid: Plain = ""
    type: Plain = ""
    since: Time = None
    until: Time = None

    def query(self) -> LogQuery:
        """As the use case takes it."""
        return LogQuery(**dict(self))


class Event(BaseModel):
    """`personal` is null without the scope log:personal, and when its subject was forgotten."""

    position: str
    id: str
    type: str
    time: str
    sub: str | None
    sid: str | None
    data: dict[str, object]
    personal: dict[str, object] | None


class Events(BaseModel):
    """`next` is the position to go on after; null at the end."""

    events: list[Event]
    next: str | None


class Record(BaseModel):
    """A row as it stands in the log; `data`, `personal` (sealed) and `hash` in base64."""

    position: str
    stream: str
    version: int
    id: str
    type: str
    time: int
    subject: str
    session: str
    data: str
    personal: str
    hash: str


class Records(BaseModel):
    """Rows in position order."""

    records: list[Record]


class Subjects(MachineBody):
    """Ids of subjects as they stand in the log. `reader`: who reads, where the caller asks for somebody else."""

    subjects: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(max_length=500)
    reader: Annotated[str, Field(max_length=255)] = ""


class SubjectKeys(BaseModel):
    """Keys in base64, by id; those of unknown and forgotten subjects are missing."""

    keys: dict[str, str]


def event_json(entry: LogEntry) -> dict[str, object]:
    """An event for people and programs."""
    return {
        "position": entry.position,
        "id": entry.id,
        "type": entry.type,
        "time": iso(entry.time),
        "sub": entry.sub,
        "sid": entry.sid,
        "data": {name: _shown(name, value) for name, value in entry.data.items()},
        "personal": None if entry.personal is None else dict(entry.personal),
    }


def _shown(name: str, value: object) -> object:
    """The log counts milliseconds; JSON times are ISO 8601. `auth_time` stays what it is in the token."""
    return iso(value) if name in _TIMES and isinstance(value, int) else value


def routes(parts: Parts) -> APIRouter:
    """Read and copy."""
    api = machine_routes()
    read = parts.access.require("log:read")
    replicate = parts.access.require("log:replicate")
    personal = parts.access.require(PERSONAL)

    @api.get("/v1/log", response_model=Events, responses=machine(400, 401, 403))
    def events(wanted: Annotated[Wanted, Query()], caller: Annotated[Principal, Depends(read)]) -> Response:
        """Events in the order of their positions."""
        page = parts.log.read(wanted.query(), with_personal_for=reader_of_personal(parts, caller))
        return JSONResponse({"events": [event_json(entry) for entry in page.entries], "next": page.next})

    @api.get("/v1/log/records", response_model=Records, responses=machine(400, 401, 403))
    def records(
        _: Annotated[Principal, Depends(replicate)],
        after: Plain = "0.0",
        limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    ) -> Response:
        """Rows after a position, byte for byte: how a consumer with a gap refills."""
        return JSONResponse({"records": [row_json(row) for row in parts.log.records(_position(after), limit=limit)]})

    @api.post("/v1/subject-keys", response_model=SubjectKeys, responses=machine(400, 401, 403))
    def subject_keys(body: Subjects, caller: Annotated[Principal, Depends(personal)]) -> Response:
        """The keys that open the personal part of these subjects' events; who asks stands in the log."""
        asks = author(parts, caller)
        keys = parts.log.subject_keys(body.subjects, by=f"{asks} for {body.reader}" if body.reader else asks)
        return JSONResponse({"keys": {subject: b64encode(key).decode() for subject, key in keys.items()}})

    return api


def reader_of_personal(parts: Parts, caller: Principal) -> str | None:
    """Who reads the personal part; None for a caller who may not."""
    return author(parts, caller) if caller.has(PERSONAL) else None


def _position(text: str) -> Position:
    try:
        return Position.parse(text)
    except ValueError as error:
        raise InvalidRequest({"after": str(error)}) from None

"""/v1/feed, /v1/feed/ack and /v1/snapshots: docs/protocol.md."""

# No `from __future__ import annotations`: FastAPI resolves these annotations in the scope of the function that they stand in.
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from rescind.position import Position
from services.problems import Problem
from services.revocation.acks import Ack
from services.revocation.api.callers import VerifierOnly
from services.revocation.api.fields import Body, Filter, Name, Place
from services.revocation.api.loading import Loads, SnapshotResponse
from services.revocation.api.parts import Parts
from services.revocation.api.routing import refusals, routes_of
from services.revocation.api.streaming import FeedResponse
from services.revocation.errors import InvalidRevocation, NotFound, Unsettled
from services.revocation.restoring import Origin
from services.revocation.service import Revocation

_MARK = 128


Pair = Annotated[tuple[Annotated[int, Field(ge=0, strict=True)], Annotated[float, Field(ge=0, strict=True)]], Field(strict=False)]
"""JSON has lists, no tuples."""


class AckBody(Body):
    """What an instance says about itself; `applied` pairs seqs with milliseconds since."""

    instance: Annotated[Name, Field(max_length=128)]
    at: Place | None
    mark: Annotated[str, Field(max_length=_MARK)] | None
    max_staleness: Annotated[float, Field(ge=5, le=86_400)]
    policy: Literal["strict", "best_effort"]
    applied: Annotated[list[Pair], Field(max_length=1000)] = Field(default_factory=list)


def routes(parts: Parts) -> APIRouter:
    """Follow, acknowledge, load."""
    api = routes_of("feed")
    service = parts.revocation
    verifier_only = VerifierOnly(service.verifiers)
    loads = Loads(service.settings.snapshot_loads)

    @api.get("/v1/feed", response_class=FeedResponse, status_code=200)
    async def feed(
        verifier: Annotated[str, Depends(verifier_only)],
        after: Annotated[Place | None, Query()] = None,
        mark: Annotated[Filter, Query(max_length=_MARK)] = "",
        last_event_id: Annotated[Place | None, Header()] = None,
    ) -> Response:
        """The stream of deltas, behind `after`, or behind a snapshot."""
        asked = after or last_event_id
        begin = await _begin(service, Position.parse(asked), mark) if asked else None
        service.serving()
        offered = None if service.feed.resumes(begin) else await run_in_threadpool(service.snapshots.offer)
        return FeedResponse(service.feed, service.feed.open(begin, verifier, offered), parts.streams)

    @api.post("/v1/feed/ack")
    async def ack(body: AckBody, verifier: Annotated[str, Depends(verifier_only)]) -> JSONResponse:
        """Take an acknowledgement, and answer how complete the list behind the head is."""
        heard = service.clock()
        if body.at is not None:
            await _acknowledge(service, body, verifier, Position.parse(body.at), heard)
        standing = service.serving()
        ages = standing.ages(service.clock())
        return JSONResponse({"head": str(standing.head), "age_ms": ages.own, "ages": dict(ages.sources)})

    @api.get("/v1/snapshots/{position}", response_class=Response, responses=refusals(404))
    async def snapshot(
        position: str, _: Annotated[str, Depends(verifier_only)], if_none_match: Annotated[str, Header()] = ""
    ) -> Response:
        """The whole list, as it stood at a position; immutable."""
        service.serving()
        offered = service.snapshots.get(_position(position))
        if offered is None:
            raise NotFound("gone")
        return SnapshotResponse(offered, if_none_match, loads)

    return api


async def _acknowledge(service: Revocation, body: AckBody, verifier: str, at: Position, heard: float) -> None:
    origin = await _origin(service, at, body.mark or "")
    if origin is Origin.UNPROVEN:
        raise Problem(503, "unknown_position", "This position has no mark of ours.", headers={"Retry-After": "1"})
    held = [(Position(at.epoch, seq), heard - ms) for seq, ms in body.applied if seq <= at.seq]
    service.acks.put(
        Ack(
            verifier=verifier,
            instance=body.instance,
            at=at,
            max_staleness=round(body.max_staleness * 1000),
            policy=body.policy,
            heard=heard,
            reached=tuple(held),
        )
    )


async def _begin(service: Revocation, after: Position, mark: str) -> Position | None:
    """Where to go on from; None for a snapshot. Unsettled for a position that we have not (yet)."""
    origin = await _origin(service, after, mark)
    head = service.serving().head
    if origin is Origin.OURS or after > head:  # never answered with a snapshot that leads back
        if after > head:
            raise Unsettled("this replica is behind the reader")
        return after
    return None


async def _origin(service: Revocation, position: Position, mark: str) -> Origin:
    """Say where a presented position is from; one of another history starts the repair, and is Unsettled."""
    if service.history.remembers(position, mark):
        return Origin.OURS
    origin = await run_in_threadpool(service.history.examine, position, mark)
    if origin is Origin.OTHER:
        await run_in_threadpool(service.history.lost, above=position.epoch, why="verifier")
        raise Unsettled("another history")
    return origin


def _position(text: str) -> Position:
    try:
        return Position.parse(text)
    except ValueError as error:
        raise InvalidRevocation({"position": str(error)}) from None

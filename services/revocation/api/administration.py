"""/v1/verifiers and /v1/sources."""

# No `from __future__ import annotations`: FastAPI resolves these annotations in the scope of the function that they stand in.
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from rescind.position import Position
from services.principal import Principal
from services.revocation.api.fields import Body, Filter, Name
from services.revocation.api.parts import Parts
from services.revocation.api.routing import refusals, routes_of
from services.revocation.decisions.commands import author
from services.revocation.decisions.receipts import Heard
from services.revocation.decisions.sources import Source
from services.times import iso

_YEAR_S = 366 * 86_400


class VerifierBody(Body):
    """`name`: what receipts and the fleet call it."""

    name: Name


class SourceBody(Body):
    """`own`: an issuer whose log `client_id` sends; else `max_session_life`, in seconds, says when its sessions have ended."""

    own: bool = False
    client_id: Annotated[str, Field(max_length=255)] = ""
    max_session_life: Annotated[int, Field(ge=0, le=_YEAR_S)] = 0


def verifier_routes(parts: Parts) -> APIRouter:
    """The fleet."""
    api = routes_of("verifiers")
    service = parts.revocation
    may_read = parts.access.require("verifiers:read")
    may_write = parts.access.require("verifiers:write")

    @api.post("/v1/verifiers", status_code=201, responses=refusals(409))
    def add(body: VerifierBody, _: Annotated[Principal, Depends(may_write)]) -> JSONResponse:
        """Register a verifier; the credential is shown this once."""
        return JSONResponse({"name": body.name, "credential": service.verifiers.add(body.name)}, 201)

    @api.get("/v1/verifiers")
    def fleet(
        _: Annotated[Principal, Depends(may_read)],
        after: Filter = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 500,
    ) -> JSONResponse:
        """Verifiers by name, their instances and how far behind the head they are; `after` is a name, such as `next`."""
        head = service.log.head()[0]
        now, instances = service.ack_store.read()
        behind = sorted((name, created) for name, created in service.verifiers.all().items() if name > after)
        shown = [
            {
                "name": name,
                "created": iso(created),
                "instances": [_instance(each.heard, head, now) for each in instances if each.heard.verifier == name],
            }
            for name, created in behind[:limit]
        ]
        return JSONResponse({"head": str(head), "verifiers": shown, "next": shown[-1]["name"] if len(behind) > limit else None})

    @api.delete("/v1/verifiers/{name}", status_code=204, responses=refusals(404))
    def remove(name: str, _: Annotated[Principal, Depends(may_write)]) -> Response:
        """Decommission a verifier; its streams are cut."""
        service.verifiers.remove(name)
        return Response(status_code=204)

    return api


def source_routes(parts: Parts) -> APIRouter:
    """Whose tokens are judged."""
    api = routes_of("sources")
    service = parts.revocation
    may_write = parts.access.require("sources:write")

    @api.get("/v1/sources")
    def sources(_: Annotated[Principal, Depends(may_write)]) -> JSONResponse:
        """Every source, with the age of what is known of its log (null for another issuer, which sends nothing)."""
        standing = service.projector.standing
        ages = standing.ages(service.clock()).sources if standing else {}
        return JSONResponse({"sources": [_source(each, ages.get(each.iss)) for each in service.sources.active()]})

    @api.put("/v1/sources/{iss:path}", responses={201: {"description": "It was new."}})
    def add(body: SourceBody, iss: Annotated[Name, Path()], caller: Annotated[Principal, Depends(may_write)]) -> JSONResponse:
        """Add a source, or change what is known of it. 201 when that was new."""
        wanted = Source(iss=iss, own=body.own, client_id=body.client_id, max_session_life=body.max_session_life)
        new = service.sources.add(wanted, by=author(caller))
        return JSONResponse(_source(wanted, None), 201 if new else 200)

    @api.delete("/v1/sources/{iss:path}", status_code=204, responses=refusals(404))
    def remove(iss: Annotated[Name, Path()], caller: Annotated[Principal, Depends(may_write)]) -> Response:
        """Remove a source: everything of this issuer ends."""
        service.sources.remove(iss, by=author(caller))
        return Response(status_code=204)

    return api


def _instance(heard: Heard, head: Position, now: int) -> dict[str, object]:
    return {
        "instance": heard.instance,
        "at": str(heard.at),
        "behind": max(0, head.seq - heard.at.seq) if heard.at.epoch == head.epoch else None,
        "last_heard": iso(heard.heard),
        "state": heard.state(now).value,
        "policy": heard.policy,
        "max_staleness": heard.max_staleness / 1000,
    }


def _source(source: Source, age: int | None) -> dict[str, object]:
    return {
        "iss": source.iss,
        "own": source.own,
        "client_id": source.client_id,
        "max_session_life": source.max_session_life,
        "age_ms": age,
    }

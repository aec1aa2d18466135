"""/v1/revocations: revoke, read, lift."""

# No `from __future__ import annotations`: FastAPI resolves these annotations in the scope of the function that they stand in.
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from eventlog.query import LogQuery
from rescind.position import BEGINNING, Position
from rescind.vocabulary import Effect, Reason, TargetType, subject_name
from services.principal import Principal
from services.revocation.api.fields import Body, Filter, Name, Place, Time
from services.revocation.api.parts import Parts
from services.revocation.api.routing import refusals, routes_of
from services.revocation.api.shown import pending_json, receipt_json, revocation_json
from services.revocation.api.waiting import wait_for
from services.revocation.decisions.commands import MakeRevocation
from services.revocation.errors import InvalidRevocation

MAX_WAIT_S = 30


class TargetBody(Body):
    """`id`: sid, jti, sub, client_id, kid or iss. `iss` may be left out where one issuer's log is followed."""

    type: Annotated[TargetType, Field(strict=False)]
    id: Name
    iss: Name | None = None


class RevocationBody(Body):
    """`note` is for people and stands in the log: no personal data. `wait` is in seconds."""

    target: TargetBody
    effect: Annotated[Effect, Field(strict=False)] = Effect.END
    reason: Annotated[Reason, Field(strict=False)]
    note: Annotated[str, Field(max_length=500)] = ""
    wait: Annotated[float, Field(ge=0, le=MAX_WAIT_S)] | None = None
    idempotency_key: Annotated[Name, Field(max_length=128)] | None = None

    def command(self) -> MakeRevocation:
        """As the use case takes it."""
        return MakeRevocation(
            target_type=self.target.type,
            target_id=self.target.id,
            iss=self.target.iss or "",
            effect=self.effect,
            reason=self.reason,
            note=self.note,
            idempotency_key=self.idempotency_key or "",
            awaited=bool(self.wait),
        )


class Wanted(BaseModel):
    """Which revocations: of a subject (`sub` and `iss`), of a session, of a time (`since` inclusive, `until` exclusive)."""

    model_config = ConfigDict(extra="forbid")

    after: Place = str(BEGINNING)
    limit: int = Field(100, ge=1, le=500)
    sub: Filter = ""
    iss: Filter = ""
    sid: Filter = ""
    since: Time = None
    until: Time = None

    def query(self) -> LogQuery:
        """As the use case takes it."""
        if bool(self.sub) != bool(self.iss):
            raise InvalidRevocation({"sub" if self.iss else "iss": "needed: an account is named by both"})
        return LogQuery(
            after=Position.parse(self.after),
            limit=self.limit,
            subject=subject_name(self.iss, self.sub) if self.sub else "",
            session=self.sid,
            since=self.since,
            until=self.until,
        )


def routes(parts: Parts) -> APIRouter:
    """Revoke, read, lift."""
    api = routes_of("revocations")
    service = parts.revocation
    revocations = service.revocations
    may_revoke = parts.access.require("revocations:write", "revocations:automated")
    may_lift = parts.access.require("revocations:write")
    may_read = parts.access.require("revocations:read")
    window = revocations.lift_window_ms

    @api.post("/v1/revocations", status_code=201, responses=refusals(409, 429))
    async def revoke(body: RevocationBody, caller: Annotated[Principal, Depends(may_revoke)]) -> JSONResponse:
        """Revoke. 201 means durable; with `wait`, that every live verifier has applied it, or which have not."""
        made = await run_in_threadpool(revocations.make, body.command(), caller)
        shown = revocation_json(made.revocation, lift_window_ms=window)
        if body.wait:
            shown |= pending_json(await wait_for(service, made.revocation, body.wait))
        return JSONResponse(shown, 201)

    @api.get("/v1/revocations")
    def listed(wanted: Annotated[Wanted, Query()], _: Annotated[Principal, Depends(may_read)]) -> JSONResponse:
        """Revocations in the order of their positions."""
        page, after = revocations.page(wanted.query())
        shown = [revocation_json(each, lift_window_ms=window) for each in page]
        return JSONResponse({"revocations": shown, "next": str(after) if after else None})

    @api.get("/v1/revocations/{revocation_id}", responses=refusals(404))
    def receipt(revocation_id: str, _: Annotated[Principal, Depends(may_read)]) -> JSONResponse:
        """One revocation and its receipt."""
        found = revocations.find(revocation_id)
        return JSONResponse(revocation_json(found, lift_window_ms=window) | receipt_json(service.receipt(found)))

    @api.post("/v1/revocations/{revocation_id}/lift", responses=refusals(404, 409))
    def lift(revocation_id: str, caller: Annotated[Principal, Depends(may_lift)]) -> JSONResponse:
        """Undo a revocation; again is the same as once."""
        return JSONResponse(revocation_json(revocations.lift(revocation_id, caller), lift_window_ms=window))

    return api

"""/v1/keys: signing keys."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.issuer.api.callers import author
from services.issuer.api.documented import machine
from services.issuer.api.fields import MachineBody
from services.issuer.api.parts import Parts
from services.issuer.api.routing import machine_routes
from services.principal import Principal


class Rotate(MachineBody):
    """Which key."""

    use: Literal["access", "refresh"]


class Rotated(BaseModel):
    """The next key, published now."""

    kid: str
    use: str


def routes(parts: Parts) -> APIRouter:
    """Rotate keys."""
    api = machine_routes()
    write = parts.access.require("keys:write")

    @api.post("/v1/keys/rotate", response_model=Rotated, responses=machine(400, 401, 403))
    def rotate(body: Rotate, caller: Annotated[Principal, Depends(write)]) -> Rotated:
        """Publish the next key; it signs after a while, and the old one verifies until its last token has expired."""
        return Rotated(kid=parts.keys.rotate(body.use, by=author(parts, caller)), use=body.use)

    return api

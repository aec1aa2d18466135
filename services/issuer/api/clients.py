"""/v1/clients: OAuth clients."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from services.issuer.api.callers import author
from services.issuer.api.documented import machine
from services.issuer.api.fields import MachineBody, Name, Scope
from services.issuer.api.parts import Parts
from services.issuer.api.routing import machine_routes
from services.issuer.contexts import NewClient
from services.principal import Principal


class Register(MachineBody):
    """`grants`: the scopes that the client may give to sessions it starts. `audience`: of its tokens."""

    name: Name
    scopes: list[Scope]
    grants: list[Scope] = Field(default_factory=list)
    audience: str = Field("", max_length=255)


class Registered(BaseModel):
    """The secret is shown this once."""

    client_id: str
    client_secret: str
    name: str
    scopes: list[str]
    grants: list[str]
    audience: str


def routes(parts: Parts) -> APIRouter:
    """Register clients."""
    api = machine_routes()
    write = parts.access.require("clients:write")

    @api.post("/v1/clients", status_code=201, response_model=Registered, responses=machine(400, 401, 403))
    def register(body: Register, caller: Annotated[Principal, Depends(write)]) -> Registered:
        """Register a client."""
        new = NewClient(name=body.name, scopes=tuple(body.scopes), grants=tuple(body.grants), audience=body.audience)
        client, secret = parts.clients.create(new, by=author(parts, caller))
        return Registered(
            client_id=client.id,
            client_secret=secret,
            name=client.name,
            scopes=sorted(client.scopes),
            grants=sorted(client.grants),
            audience=client.audience,
        )

    return api

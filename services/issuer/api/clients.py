"""/v1/clients: OAuth clients."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.issuer.api.callers import author
from services.issuer.api.documented import machine
from services.issuer.api.fields import Id, MachineBody, Name, Plain, Scope
from services.issuer.api.parts import Parts
from services.issuer.api.routing import machine_routes
from services.issuer.contexts import NewClient
from services.issuer.errors import Conflict
from services.issuer.views import RegisteredClient
from services.principal import Principal
from services.times import iso

_WEEK_S = 7 * 86_400


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


class Listed(BaseModel):
    """`previous_secret_until`: null unless the secret before is good, too, until then."""

    client_id: str
    name: str
    scopes: list[str]
    grants: list[str]
    audience: str
    public: bool
    created: str
    previous_secret_until: str | None


class Page(BaseModel):
    """`next`: the `after` of the next page, null at the end."""

    clients: list[Listed]
    next: str | None


class NewSecret(MachineBody):
    """`overlap`: for so many seconds the secret before is good, too; after a leak 0."""

    overlap: int = Field(0, ge=0, le=_WEEK_S)


class Rotated(BaseModel):
    """The secret is shown this once."""

    client_id: str
    client_secret: str
    previous_secret_until: str


def routes(parts: Parts) -> APIRouter:
    """Register, look at, rotate, delete."""
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

    @api.get("/v1/clients", response_model=Page, responses=machine(400, 401, 403))
    def clients(
        _: Annotated[Principal, Depends(write)],
        after: Plain = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Page:
        """Clients in the order of their ids, without secrets; `after` is an id, such as `next`."""
        found = parts.clients.page(after, limit + 1)
        shown = [_listed(each, parts.now()) for each in found[:limit]]
        return Page(clients=shown, next=shown[-1].client_id if len(found) > limit else None)

    @api.post("/v1/clients/{client_id}/secret", response_model=Rotated, responses=machine(400, 401, 403, 404, 409))
    def rotate(client_id: Id, body: NewSecret, caller: Annotated[Principal, Depends(write)]) -> Rotated:
        """Give the client a new secret; the one before is refused at once, or after `overlap` seconds."""
        secret, until = parts.clients.rotate_secret(client_id, overlap=body.overlap, by=author(parts, caller))
        return Rotated(client_id=client_id, client_secret=secret, previous_secret_until=iso(until))

    @api.delete("/v1/clients/{client_id}", status_code=204, responses=machine(401, 403, 404, 409))
    def delete(client_id: Id, caller: Annotated[Principal, Depends(write)]) -> Response:
        """Delete a client: its secret, its own tokens and those of its sessions are refused for good."""
        if caller.client_id == client_id and caller.sid is None:
            raise Conflict("A client cannot delete itself: use another one, so that somebody is left who can.")
        parts.clients.delete(client_id, by=author(parts, caller))
        return Response(status_code=204)

    return api


def _listed(registered: RegisteredClient, now: int) -> Listed:
    client = registered.client
    return Listed(
        client_id=client.id,
        name=client.name,
        scopes=sorted(client.scopes),
        grants=sorted(client.grants),
        audience=client.audience,
        public=client.public,
        created=iso(registered.created),
        previous_secret_until=iso(registered.previous_until) if now < registered.previous_until else None,
    )

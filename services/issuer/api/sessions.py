"""/v1/sessions: sessions for logins of one's own."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from services.issuer.api.addresses import parse_address
from services.issuer.api.callers import own_client
from services.issuer.api.documented import machine
from services.issuer.api.fields import Bind, DeviceName, Id, MachineBody, Name, Scope
from services.issuer.api.parts import Parts
from services.issuer.api.routing import machine_routes
from services.issuer.api.where import told_device, user_agent
from services.issuer.contexts import RequestContext, StartSession
from services.principal import Principal


class Where(MachineBody):
    """Where the person is, as far as the back end knows. An address that cannot be read is unknown."""

    client_ip: str | None = Field(None, max_length=255)
    user_agent: str | None = Field(None, max_length=4096)
    device: str | None = Field(None, max_length=255)


class Start(Where):
    """`scopes` missing: all that the client may grant. `claims` go into the access tokens; reserved names are refused."""

    subject: Name
    scopes: list[Scope] | None = None
    claims: dict[str, object] = Field(default_factory=dict)
    device_name: DeviceName | None = None
    remember_me: bool = False
    bind: Bind = Field(default_factory=Bind)


class Started(BaseModel):
    """`expires_in`: seconds that the access token lives."""

    sid: str
    access: str
    refresh: str
    expires_in: int


class Change(MachineBody):
    """What is missing stays as it is."""

    scopes: list[Scope] | None = None
    claims: dict[str, object] | None = None


class Changed(BaseModel):
    """The session; its next refresh brings the new claims."""

    sid: str


def told(client_ip: str | None, agent: str | None, device: str | None) -> RequestContext:
    """A context that a back end tells; unknown where it tells nothing."""
    address = parse_address(client_ip or "")
    context = RequestContext(ip=str(address) if address else None, user_agent=user_agent(agent), device=told_device(device))
    unknown = (context.ip, context.user_agent, context.device) == (None, None, None)
    return RequestContext(known=False) if unknown else context


def routes(parts: Parts) -> APIRouter:
    """Start sessions and change what they say."""
    api = machine_routes()
    write = parts.access.require("sessions:write")

    @api.post("/v1/sessions", status_code=201, response_model=Started, responses=machine(400, 401, 403))
    def start(body: Start, caller: Annotated[Principal, Depends(write)]) -> Response:
        """Start a session for a subject that you have authenticated."""
        new = StartSession(
            subject=body.subject,
            scopes=None if body.scopes is None else tuple(body.scopes),
            claims=body.claims,
            remember_me=body.remember_me,
            device_name=body.device_name or "",
            bind_ip=body.bind.ip,
            bind_device=body.bind.device,
        )
        pair = parts.sessions.start(own_client(parts, caller), new, told(body.client_ip, body.user_agent, body.device))
        members = {"sid": pair.sid, "access": pair.access, "refresh": pair.refresh, "expires_in": pair.expires_in}
        return JSONResponse(members, status_code=201)

    @api.patch("/v1/sessions/{sid}", response_model=Changed, responses=machine(400, 401, 403, 404))
    def change(sid: Id, body: Change, caller: Annotated[Principal, Depends(write)]) -> Changed:
        """Change scopes or claims; tokens with the old ones are refused at once, the session lives."""
        parts.sessions.change_claims(own_client(parts, caller), sid, body.scopes, body.claims)
        return Changed(sid=sid)

    return api

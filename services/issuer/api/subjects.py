"""/v1/subjects: accounts, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.issuer.api.callers import author
from services.issuer.api.devices import Sessions, sessions_json
from services.issuer.api.documented import machine
from services.issuer.api.fields import Id, MachineBody, Name, Password, Scope
from services.issuer.api.parts import Parts
from services.issuer.api.routing import machine_routes
from services.issuer.views import Subject
from services.principal import Principal
from services.times import iso


class NewSubject(MachineBody):
    """A password has 8 characters at least; there are no rules of composition."""

    username: Name
    password: Password
    scopes: list[Scope] = Field(default_factory=list)


class Scopes(MachineBody):
    """They replace the old ones."""

    scopes: list[Scope]


class NewPassword(MachineBody):
    """All sessions end."""

    password: Password


class Created(BaseModel):
    """The `sub` of its tokens."""

    sub: str


class Account(BaseModel):
    """An account as it is now."""

    sub: str
    scopes: list[str]
    disabled: bool
    created: str


def account_json(subject: Subject) -> Account:
    """Without its name and its id in the log."""
    return Account(sub=subject.sub, scopes=sorted(subject.scopes), disabled=subject.disabled, created=iso(subject.created))


def routes(parts: Parts) -> APIRouter:
    """Make, change, look at. A `sub` is the platform's name and may hold slashes."""
    api = machine_routes()
    write = parts.access.require("subjects:write")

    @api.post("/v1/subjects", status_code=201, response_model=Created, responses=machine(400, 401, 403, 409))
    def create(body: NewSubject, caller: Annotated[Principal, Depends(write)]) -> Created:
        """Make an account."""
        subject = parts.subjects.create(body.username, body.password, body.scopes, by=author(parts, caller))
        return Created(sub=subject.sub)

    @api.get("/v1/subjects/{sub:path}/sessions", response_model=Sessions, responses=machine(401, 403, 404))
    def sessions(sub: Id, _: Annotated[Principal, Depends(write)]) -> Response:
        """Where this person is signed in."""
        return sessions_json(parts.sessions.of_subject(parts.subjects.find(sub).id))

    @api.patch("/v1/subjects/{sub:path}", response_model=Account, responses=machine(400, 401, 403, 404))
    def set_scopes(sub: Id, body: Scopes, caller: Annotated[Principal, Depends(write)]) -> Account:
        """Set the scopes; tokens with the old ones are refused everywhere at once, sessions live."""
        return account_json(parts.subjects.set_scopes(sub, body.scopes, by=author(parts, caller)))

    @api.delete("/v1/subjects/{sub:path}", status_code=204, response_class=Response, responses=machine(401, 403, 404))
    def forget(sub: Id, caller: Annotated[Principal, Depends(write)]) -> None:
        """Forget: end everything and delete the key of the personal data."""
        parts.subjects.forget(sub, by=author(parts, caller))

    return api


def state_routes(parts: Parts) -> APIRouter:
    """Disable, enable, set a password."""
    api = machine_routes()
    write = parts.access.require("subjects:write")

    @api.post("/v1/subjects/{sub:path}/disable", status_code=204, response_class=Response, responses=machine(401, 403, 404))
    def disable(sub: Id, caller: Annotated[Principal, Depends(write)]) -> None:
        """End all sessions and refuse sign-ins."""
        parts.subjects.disable(sub, by=author(parts, caller))

    @api.post("/v1/subjects/{sub:path}/enable", status_code=204, response_class=Response, responses=machine(401, 403, 404))
    def enable(sub: Id, caller: Annotated[Principal, Depends(write)]) -> None:
        """Allow sign-ins again."""
        parts.subjects.enable(sub, by=author(parts, caller))

    @api.post("/v1/subjects/{sub:path}/password", status_code=204, response_class=Response, responses=machine(400, 401, 403, 404))
    def set_password(sub: Id, body: NewPassword, caller: Annotated[Principal, Depends(write)]) -> None:
        """Set a password; all sessions end."""
        parts.subjects.set_password(sub, body.password, by=author(parts, caller))

    return api

"""/api/sessions: where a person is signed in, and how to end it there."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from services.issuer.api.documented import front
from services.issuer.api.fields import DeviceName, FrontBody, Id
from services.issuer.api.parts import Parts
from services.issuer.api.routing import FrontRoutes
from services.issuer.errors import NotFound
from services.issuer.views import SessionView
from services.principal import Principal
from services.times import iso

USER = "user"
_TIMES = ("created", "last_seen", "expires")


class Session(BaseModel):
    """A session; times in ISO 8601, null where something is unknown, `place` missing where it is."""

    sid: str
    device_name: str | None
    browser: str | None
    os: str | None
    ip: str | None
    place: str | None = None
    created: str
    last_seen: str
    expires: str
    remember_me: bool
    current: bool


class Sessions(BaseModel):
    """The newest first."""

    sessions: list[Session]


class Ended(BaseModel):
    """How many sessions ended."""

    ended: int


class Rename(FrontBody):
    """What the owner calls this device."""

    device_name: DeviceName


def session_json(view: SessionView, current_sid: str | None) -> dict[str, object]:
    """A session as its owner sees it."""
    members = asdict(view) | {name: iso(getattr(view, name)) for name in _TIMES}
    members["current"] = view.sid == current_sid
    unknown_place = {"place"} if view.place is None else set()
    return {name: members[name] for name in Session.model_fields if name not in unknown_place}


def sessions_json(views: Sequence[SessionView], current_sid: str | None = None) -> JSONResponse:
    """`{sessions: […]}`."""
    return JSONResponse({"sessions": [session_json(view, current_sid) for view in views]})


def routes(parts: Parts) -> APIRouter:
    """List, rename and end one's own sessions."""
    api = FrontRoutes()
    signed_in = parts.access.signed_in

    @api.get("/api/sessions", response_model=Sessions, responses=front(401, 403))
    def list_sessions(caller: Annotated[Principal, Depends(signed_in)]) -> Response:
        """Where I am signed in."""
        return sessions_json(parts.sessions.of_subject(parts.subjects.find(caller.sub).id), caller.sid)

    @api.delete("/api/sessions", response_model=Ended, responses=front(400, 401, 403))
    def end_sessions(
        caller: Annotated[Principal, Depends(signed_in)], scope: Annotated[Literal["others", "all"], Query()]
    ) -> Ended:
        """Sign out on all other devices, or on all."""
        keep = caller.sid if scope == "others" else None
        return Ended(ended=parts.sessions.end_many(parts.subjects.find(caller.sub).id, keep_sid=keep, by=USER))

    @api.delete("/api/sessions/{sid}", status_code=204, response_class=Response, responses=front(401, 403, 404))
    def end_session(sid: Id, caller: Annotated[Principal, Depends(signed_in)]) -> None:
        """Sign out on one device; somebody else's session is unknown."""
        parts.sessions.end(parts.subjects.find(caller.sub).id, sid, by=USER)

    @api.patch("/api/sessions/{sid}", response_model=Session, responses=front(400, 401, 403, 404))
    def rename(sid: Id, body: Rename, caller: Annotated[Principal, Depends(signed_in)]) -> Response:
        """Name a device."""
        subject_id = parts.subjects.find(caller.sub).id
        parts.sessions.rename(subject_id, sid, body.device_name)
        renamed = next((view for view in parts.sessions.of_subject(subject_id) if view.sid == sid), None)
        if renamed is None:
            raise NotFound
        return JSONResponse(session_json(renamed, caller.sid))

    return api

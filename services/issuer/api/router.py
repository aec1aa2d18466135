"""All routes of the issuer."""

from __future__ import annotations

from fastapi import APIRouter

from services.issuer.api import (
    clients,
    devices,
    keys,
    leaving,
    log,
    log_stream,
    oauth,
    password,
    refreshing,
    sessions,
    signing_in,
    subjects,
    well_known,
)
from services.issuer.api.parts import Parts

FRONT_ENDS = (signing_in.routes, refreshing.routes, leaving.routes, password.routes, devices.routes)
MACHINES = (
    oauth.routes,
    well_known.routes,
    sessions.routes,
    subjects.state_routes,
    subjects.routes,
    clients.routes,
    keys.routes,
    log.routes,
    log_stream.routes,
)


def router(parts: Parts) -> APIRouter:
    """The issuer's part of the application; the composition root also calls `origins.install_cors`."""
    api = APIRouter()
    for routes in (*FRONT_ENDS, *MACHINES):
        api.include_router(routes(parts))
    return api

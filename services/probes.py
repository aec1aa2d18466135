"""`/livez`, `/readyz` and `/metrics`. They need no token: keep the listener on an address that only your own can reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from eventlog.errors import EventLogError
from services.loops import Loops
from services.metrics import Metrics
from services.runtime import Service


def missing(services: Sequence[Service], loops: Loops) -> Mapping[str, str]:
    """What keeps the process from being ready, each with a sentence; empty when nothing does."""
    found = dict(loops.died())
    for service in services:
        try:
            found |= {f"{service.name}: {name}": words for name, words in service.ready().items()}
        except EventLogError as error:
            found[f"{service.name}: database"] = str(error)
    return found


def warnings(services: Sequence[Service]) -> Mapping[str, str]:
    """What does not get on though the process is ready, each with a sentence."""
    return {f"{service.name}: {name}": words for service in services for name, words in service.warnings().items()}


def router(services: Sequence[Service], loops: Loops, metrics: Metrics) -> APIRouter:
    """The three endpoints."""
    routes = APIRouter(tags=["probes"])

    @routes.get("/livez", summary="The process answers")
    def live() -> dict[str, bool]:
        return {"live": True}

    @routes.get("/readyz", summary="Caught up, or what is missing; warnings", responses={503: {"description": "Not ready"}})
    def ready() -> JSONResponse:
        lacks = missing(services, loops)
        return JSONResponse({"ready": not lacks, "missing": lacks, "warnings": warnings(services)}, 503 if lacks else 200)

    @routes.get("/metrics", summary="Prometheus metrics", response_class=Response)
    def measured() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=1.0.0; charset=utf-8")

    return routes

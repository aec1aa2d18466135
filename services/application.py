"""Rooms into one ASGI application: their routes, the probes, errors in the shape of their path, logs and counts."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from eventlog.errors import EventLogError
from services import probes, problems
from services.loops import Loops
from services.metrics import Metrics
from services.observing import Observed
from services.runtime import Measure, Service, Streams
from services.tracing import Traced

MAX_BODY = 4 * 1024 * 1024
"""Bytes; a full post of facts or acknowledgements stays well below."""


def application(services: Sequence[Service], loops: Loops, streams: Streams, *, tracing: TracerProvider | None = None) -> FastAPI:
    """Build the application. FastAPI's own telemetry is off: it writes paths and query strings."""

    def measures() -> Sequence[Measure]:
        alive = [Measure("loop_alive", "Whether the loop runs.", float(up), {"loop": name}) for name, up in loops.alive().items()]
        held = [Measure("open_streams", "Event streams that are open.", streams.count)]
        warned = [
            Measure("warning", "What does not get on; see /readyz.", 1.0, {"what": each}) for each in probes.warnings(services)
        ]
        return [*alive, *held, *warned, *(measure for service in services for measure in _measures_of(service))]

    metrics = Metrics(measures)
    app = FastAPI(
        title="Rescind",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=MAX_BODY,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    for service in services:
        app.include_router(service.router)
    app.include_router(probes.router(services, loops, metrics))
    problems.install(app)
    app.add_middleware(Observed, metrics=metrics)
    if tracing:
        app.add_middleware(Traced, provider=tracing)
    return app


def _measures_of(service: Service) -> Sequence[Measure]:
    """A room's gauges, without those that its database keeps back: a scrape is wanted most when something is away."""
    words, labels = "Whether the room's own gauges could be read.", {"room": service.name}
    try:
        return [*service.measures(), Measure("room_measured", words, 1.0, labels)]
    except EventLogError:
        return [Measure("room_measured", words, 0.0, labels)]

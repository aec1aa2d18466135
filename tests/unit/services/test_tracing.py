import asyncio

import httpx
from fastapi import APIRouter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_trace_id

from services.application import application
from services.loops import Loops
from services.runtime import Service, Streams


async def _call(path: str, headers: dict[str, str]) -> InMemorySpanExporter:
    routes = APIRouter()

    @routes.get("/v1/subjects/{sub}")
    def _subject(sub: str) -> str:
        return sub

    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    app = application([Service("one", routes)], Loops([]), Streams(), tracing=provider)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get(path, headers=headers)
    return kept


def test_a_span_has_the_route_and_the_callers_trace() -> None:
    parent = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{parent}-b7ad6b7169203331-01", "Authorization": "Bearer hunter3"}
    (span,) = asyncio.run(_call("/v1/subjects/alice?token=hunter2", headers)).get_finished_spans()
    assert span.name == "GET /v1/subjects/{sub}"
    assert span.context is not None
    assert format_trace_id(span.context.trace_id) == parent
    assert dict(span.attributes or {})["http.response.status_code"] == 200
    assert not {word for word in ("alice", "hunter2", "hunter3") if word in span.to_json()}


def test_probes_are_not_traced() -> None:
    assert not asyncio.run(_call("/readyz", {})).get_finished_spans()

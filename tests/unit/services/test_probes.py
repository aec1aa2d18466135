"""The probes while a room's database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
from fastapi import APIRouter

from eventlog.errors import StoreUnavailable
from services.application import application
from services.loops import Loops
from services.runtime import Measure, Service, Streams


async def _get(path: str, *services: Service) -> httpx.Response:
    app = application(services, Loops([]), Streams())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path)


def test_a_room_whose_database_is_away_hides_nobody_elses_metrics() -> None:
    def away() -> Sequence[Measure]:
        raise StoreUnavailable("the database does not answer")

    def sound() -> Sequence[Measure]:
        return [Measure("list_entries", "Targets in the list.", 3.0)]

    rooms = (Service("one", APIRouter(), measures=away), Service("two", APIRouter(), measures=sound))
    answer = asyncio.run(_get("/metrics", *rooms))
    assert answer.status_code == 200
    lines = answer.text.splitlines()
    assert "rescind_list_entries 3.0" in lines
    assert 'rescind_room_measured{room="one"} 0.0' in lines
    assert 'rescind_room_measured{room="two"} 1.0' in lines


def test_a_room_whose_database_is_away_is_named_as_missing() -> None:
    def away() -> dict[str, str]:
        raise StoreUnavailable("the database does not answer")

    answer = asyncio.run(_get("/readyz", Service("one", APIRouter(), ready=away)))
    assert answer.status_code == 503
    assert answer.json()["missing"] == {"one: database": "the database does not answer"}
    assert asyncio.run(_get("/livez", Service("one", APIRouter(), ready=away))).status_code == 200


def test_what_does_not_get_on_is_said_and_counted_though_the_service_is_ready() -> None:
    hindered = Service("one", APIRouter(), warnings=lambda: {"kafka road": "Kafka cannot be reached."})
    sound = Service("two", APIRouter())
    answer = asyncio.run(_get("/readyz", hindered, sound))
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "missing": {}, "warnings": {"one: kafka road": "Kafka cannot be reached."}}
    assert 'rescind_warning{what="one: kafka road"} 1.0' in asyncio.run(_get("/metrics", hindered, sound)).text.splitlines()
    assert "rescind_warning{" not in asyncio.run(_get("/metrics", sound)).text

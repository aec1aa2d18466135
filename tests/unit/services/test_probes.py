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
    assert answer.json() == {"ready": False, "missing": {"one: database": "the database does not answer"}}
    assert asyncio.run(_get("/livez", Service("one", APIRouter(), ready=away))).status_code == 200

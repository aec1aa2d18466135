"""The last chapter: what was written down, and that nobody changed it."""

from __future__ import annotations

import json
from typing import Any

from demo.people import expect
from demo.tampering import verify, verify_forgery
from demo.world import World

_SHOWN = 12


def read_the_log(world: World) -> None:
    """Everything is in the log, and the log proves itself."""
    sub = world.sub
    world.screen.command(f"curl -H 'Authorization: Bearer …' '{world.stage.rescind}/v1/log?sub={sub[:8]}…'")
    events = world.admin.get("/v1/log", sub=sub, limit=1000)["events"]
    for event in events[-_SHOWN:]:
        world.screen.say(_line(event))
    types = {event["type"] for event in events}
    expected = {"TokenIssued", "TokenRefreshed", "RefreshTokenReused", "SessionRevoked", "SubjectScopesChanged", "SubjectRevoked"}
    expect(expected <= types, f"the log does not tell of {', '.join(sorted(expected - types))}")
    expect(
        [event["position"] for event in events] == sorted((e["position"] for e in events), key=_place), "the log is out of order"
    )
    world.screen.step(f"{len(events)} events about her, in order, each with a position")
    kept = json.dumps(events)
    tokens = [token for device in world.devices.values() for token in (device.access, device.refresh_token)]
    expect(not any(token in kept for token in tokens), "a token stands in the log")
    world.screen.step("no token and no password stands in it; addresses and devices are encrypted with her key")
    if world.stage.data is not None:
        verify(world, world.stage.data)
        if not world.stage.database:
            verify_forgery(world, world.stage.data)


def _line(event: dict[str, Any]) -> str:
    data = {name: value for name, value in event["data"].items() if name in {"reason", "cause", "effect", "generation", "scope"}}
    told = " ".join(f"{name}={value}" for name, value in data.items() if value != "")
    sid = (event["sid"] or "")[:6]
    return f"{event['position']:>6}  {event['time'][11:23]}  {event['type']:<22} {sid:<7} {told}"


def _place(position: str) -> tuple[int, ...]:
    return tuple(int(part) for part in position.split("."))

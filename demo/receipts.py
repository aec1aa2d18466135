"""Receipts: which verifiers have applied a revocation, and after how many milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from demo.people import expect
from demo.world import World


def show_receipt(world: World, revocation_id: str) -> None:
    """Wait until every API has acknowledged, and show after how long each had applied it."""
    path = f"/v1/revocations/{revocation_id}"

    def told() -> Sequence[Mapping[str, Any]] | None:
        receipt = world.admin.get(path)
        applied = [line for line in receipt["verifiers"] if line["applied"] and line["name"] in world.apis.names]
        return applied if receipt["complete"] and {line["name"] for line in applied} == set(world.apis.names) else None

    lines = world.eventually(told, "the receipt stays incomplete")
    expect(all(line["after_ms"] is not None for line in lines), "the receipt does not know the milliseconds")
    world.screen.command(f"curl … {world.stage.url(path)}")
    for line in sorted(lines, key=lambda line: str(line["name"])):
        world.screen.step(f"receipt: {line['name']} had applied it after", float(line["after_ms"]))

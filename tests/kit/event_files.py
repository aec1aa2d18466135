"""Writes the schema files anew, and a golden file for each wire name that has none yet. Golden files are never rewritten.

Run it after a new event: `.venv/bin/python tests/kit/event_files.py`.
"""

from __future__ import annotations

from pathlib import Path

from rescind.events.registry import EVENTS, AnyEvent, encode
from rescind.events.schema import schema_files
from rescind.events.shape import shape

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "shared/rescind/events/schemas"
GOLDEN = ROOT / "tests/unit/events/golden"


def example(cls: type[AnyEvent]) -> AnyEvent:
    """An event with a telling value in every field."""
    values: dict[type, object] = {str: "ä text", int: 1_800_000_000_123, bool: True}
    return cls(**{each.name: values[each.types[0]] for each in shape(cls)})  # type: ignore[arg-type]


def write() -> None:
    """Bring the files up to date."""
    for name, text in schema_files().items():
        (SCHEMAS / name).write_text(text, encoding="utf-8")
    for cls in EVENTS.values():
        wire, data = encode(example(cls))
        path = GOLDEN / f"{wire}.json"
        if not path.exists():
            path.write_bytes(data)


if __name__ == "__main__":
    write()

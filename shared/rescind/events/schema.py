"""JSON Schema (2020-12) of an event, from its dataclass. The files in `schemas/` are these, for readers in any language."""

from __future__ import annotations

import json
from types import NoneType

from rescind.events.personal import Personal
from rescind.events.registry import EVENTS
from rescind.events.shape import shape

_NAMES = {str: "string", int: "integer", bool: "boolean", NoneType: "null"}


def schema(cls: type, name: str) -> dict[str, object]:
    """What `cls` looks like as JSON."""
    found = shape(cls)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "description": " ".join((cls.__doc__ or "").split()),
        "type": "object",
        "properties": {each.name: {"type": _type(each.types)} for each in found},
        "required": [each.name for each in found if each.required],
        "additionalProperties": False,
    }


def schema_files() -> dict[str, str]:
    """File name -> text, one per wire name, and one for what stands sealed in `personal`."""
    found = {wire: schema(cls, wire) for wire, cls in EVENTS.items()} | {"personal.v1": schema(Personal, "personal.v1")}
    return {f"{name}.json": json.dumps(text, indent=2) + "\n" for name, text in found.items()}


def _type(types: tuple[type, ...]) -> str | list[str]:
    names = [_NAMES[each] for each in types]
    return names[0] if len(names) == 1 else names

"""Flat frozen dataclasses to canonical JSON and back, strictly: exact types, no unknown and no doubled field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import NoneType
from typing import TypeVar, get_args, get_type_hints

T = TypeVar("T")

SCALARS = (str, int, bool, NoneType)


class InvalidEvent(ValueError):
    """The data is not what its type says; the message names the field and never its value."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the exact types that it takes, and whether it must be there (it has no default)."""

    name: str
    types: tuple[type, ...]
    required: bool


_SHAPES: dict[type, tuple[Field, ...]] = {}


def shape(cls: type) -> tuple[Field, ...]:
    """Read a dataclass's fields (once); TypeError for a field that is no str, int, bool or None."""
    if cls not in _SHAPES:
        _SHAPES[cls] = _read(cls)
    return _SHAPES[cls]


def _read(cls: type) -> tuple[Field, ...]:
    hints = get_type_hints(cls)
    found = tuple(
        Field(each.name, get_args(hints[each.name]) or (hints[each.name],), each.default is MISSING) for each in fields(cls)
    )
    for each in found:
        if any(kind not in SCALARS for kind in each.types):
            msg = f"{cls.__name__}.{each.name}: an event's field is a str, int or bool, or None beside one of them"
            raise TypeError(msg)
    return found


def pack(value: object, *, without_none: bool = False) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8. InvalidEvent where a field has another type than declared."""
    found = {each.name: getattr(value, each.name) for each in shape(type(value))}
    _check(type(value), found)
    if without_none:
        found = {name: field for name, field in found.items() if field is not None}
    try:
        return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        msg = f"{type(value).__name__}: a text is not valid Unicode"
        raise InvalidEvent(msg) from None


def parse(data: bytes) -> dict[str, object]:
    """One JSON object, UTF-8; InvalidEvent for anything else, for doubled names, NaN and Infinity."""
    try:
        found = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidEvent("not a JSON object with each name once") from None
    if not isinstance(found, dict):
        raise InvalidEvent("not a JSON object")
    return found


def build(cls: type[T], found: Mapping[str, object]) -> T:
    """Make a `cls`; InvalidEvent for a missing, unknown or wrongly typed field. Absent fields take their defaults."""
    _check(cls, found)
    missing = [each.name for each in shape(cls) if each.required and each.name not in found]
    if missing:
        msg = f"{cls.__name__}: missing {', '.join(missing)}"
        raise InvalidEvent(msg)
    return cls(**found)


def _check(cls: type, found: Mapping[str, object]) -> None:
    known = 0
    for each in shape(cls):
        if each.name in found:
            known += 1
            if type(found[each.name]) not in each.types:  # exact: True is no int
                msg = f"{cls.__name__}.{each.name}: {' or '.join(kind.__name__ for kind in each.types)} expected"
                raise InvalidEvent(msg)
    if known != len(found):
        msg = f"{cls.__name__}: {len(found) - known} unknown fields"
        raise InvalidEvent(msg)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse(_: str) -> object:
    raise ValueError

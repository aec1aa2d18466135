"""The fields of request bodies, queries and paths."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from rescind.position import Position
from services.times import parse_iso


class Body(BaseModel):
    """Exact types; a member that we do not know is a mistake, and is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError("Only printable characters.")
    return text


def _position(text: str) -> str:
    Position.parse(text)
    return text


def _time(text: object) -> int | None:
    if text is None:
        return None
    try:
        return parse_iso(str(text))
    except (ValueError, OverflowError):
        raise ValueError("A time is ISO 8601 with its offset, for example 2026-11-24T19:22:27.123Z.") from None


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain)]
"""An id or a name."""

Filter = Annotated[str, Field(max_length=255), AfterValidator(_plain)]
"""The same in a query; empty means any."""

Place = Annotated[str, Field(max_length=40), AfterValidator(_position)]
"""EPOCH.SEQ."""

Time = Annotated[int | None, BeforeValidator(_time, json_schema_input_type=str | None)]
"""ISO 8601 outside, milliseconds inside."""

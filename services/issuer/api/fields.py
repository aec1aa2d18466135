"""The fields of request bodies, queries and paths."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.issuer.api.bodies import is_plain
from services.issuer.errors import NotFound
from services.times import parse_iso

Binding = Literal["off", "log", "strict"]


class FrontBody(BaseModel):
    """A front end's body: exact types; members that we do not know are ignored, because forms carry what they like."""

    model_config = ConfigDict(strict=True, extra="ignore")


class MachineBody(BaseModel):
    """A machine's body: exact types; a member that we do not know is a mistake, and is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Bind(MachineBody):
    """What a session is bound to."""

    ip: Binding = "off"
    device: Binding = "off"


def _known(text: str) -> str:
    if not text or not is_plain(text):
        raise NotFound
    return text


def _plain(text: str) -> str:
    if not is_plain(text):
        raise ValueError("This cannot be a value.")
    return text


def _time(text: object) -> int | None:
    if text is None:
        return None
    try:
        return parse_iso(str(text))
    except (ValueError, OverflowError):
        raise ValueError("A time is ISO 8601 with its offset, for example 2026-11-24T19:22:27.123Z.") from None


Id = Annotated[str, Path(), AfterValidator(_known)]
"""An id in a path. One that cannot be any is unknown: 404."""

Plain = Annotated[str, AfterValidator(_plain), Field(max_length=1024)]
"""A text in a query."""

Time = Annotated[int | None, BeforeValidator(_time, json_schema_input_type=str | None)]
"""ISO 8601 outside, milliseconds inside."""

Name = Annotated[str, Field(min_length=1, max_length=255)]
Password = Annotated[str, Field(min_length=1, max_length=1024, json_schema_extra={"format": "password"})]
Token = Annotated[str, Field(min_length=1, max_length=8192)]
DeviceName = Annotated[str, Field(max_length=100)]
Scope = Annotated[str, Field(min_length=1, max_length=100)]

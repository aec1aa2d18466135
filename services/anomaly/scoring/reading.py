"""An act from a JSON object. What is unknown is absent; what is there has to be of its type."""

from __future__ import annotations

from collections.abc import Mapping

from services.anomaly.scoring.acts import Act, Kind, Net

LAST = 2**32 * 1000
"""In ms: seconds are remembered in 32 bits."""


class Unreadable(ValueError):
    """The message names the field and what it must be, and never quotes a value."""


def act_of(fields: Mapping[str, object]) -> Act:
    """Unreadable says which field is wrong. Fields that nobody knows are ignored."""
    kind = _kind(fields.get("type"))
    return Act(
        eid=_text(fields, "eid") or "",
        ts=_moment(fields.get("ts")),
        kind=kind,
        sub=_text(fields, "sub") or "",
        sid=_text(fields, "sid") or "",
        ip=_text(fields, "ip"),
        asn=_whole(fields, "asn"),
        cc=_text(fields, "cc"),
        cls=_class(fields.get("cls")),
        lat=_degrees(fields, "lat", 90),
        lon=_degrees(fields, "lon", 180),
        acc=_degrees(fields, "acc", 40_000),
        ua=_text(fields, "ua"),
        br=_text(fields, "br"),
        ver=_version(fields.get("ver")),
        os=_text(fields, "os"),
        dev=_text(fields, "dev"),
        ref=_text(fields, "ref") or "",
    )


def _kind(value: object) -> Kind:
    try:
        return Kind(str(value))
    except ValueError as error:
        msg = f"`type` must be one of {', '.join(Kind)}"
        raise Unreadable(msg) from error


def _moment(value: object) -> int:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < LAST:
        raise Unreadable("`ts` must be milliseconds since 1970")
    return int(value)


def _class(value: object) -> Net | None:
    """A class that is not known says nothing."""
    return Net(value) if isinstance(value, str) and value in _CLASSES else None


_CLASSES = frozenset(each.value for each in Net)


def _text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        msg = f"`{name}` must be text"
        raise Unreadable(msg)
    return value


def _whole(fields: Mapping[str, object], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.upper().removeprefix("AS").isdecimal():
        value = int(value.upper().removeprefix("AS"))
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**32:
        msg = f"`{name}` must be a whole number of at most 32 bits"
        raise Unreadable(msg)
    return value


def _version(value: object) -> int | None:
    """The leading number: 131, "131" and "131.0.6778" are the same version."""
    if value is None:
        return None
    head = str(value).partition(".")[0]
    return int(head) if head.isdecimal() and len(head) < 6 else None  # noqa: PLR2004


def _degrees(fields: Mapping[str, object], name: str, most: float) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= most:
        msg = f"`{name}` must be a number between -{most} and {most}"
        raise Unreadable(msg)
    return float(value)

"""The personal part of an event. It is encrypted with the subject's key before it is written anywhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """Where and with what a person acted. None means unknown: no opinion, never "changed"."""

    ip: str | None = None
    user_agent: str | None = None
    device: str | None = None  # the device cookie's or header's id
    device_name: str | None = None
    username: str | None = None
    browser: str | None = None
    os: str | None = None
    asn: int | None = None
    place: str | None = None

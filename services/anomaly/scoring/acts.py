"""One event as the detector reads it: who, when, what, and what the issuer's edge knew of the network and the device."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happened. A TokenReuse is an already rotated refresh token that came again."""

    SIGN_IN = "TokenIssued"
    REFRESH = "TokenRefreshed"
    FAILURE = "LoginFailed"
    REUSE = "TokenReuse"
    PASSED = "StepUpPassed"
    FAILED = "StepUpFailed"


class Net(StrEnum):
    """The class of a network."""

    HOME = "res"
    MOBILE = "mob"
    OFFICE = "ent"
    HOSTING = "host"
    VPN = "vpn"
    TOR = "tor"
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Act:
    """None: unknown, which is never "changed". `ts` in ms, `lat` and `lon` in degrees, `acc` their error radius in km.

    `ref`: for a step-up's answer, the eid of the act that asked for it.
    """

    eid: str
    ts: int
    kind: Kind
    sub: str = ""
    sid: str = ""
    ip: str | None = None
    asn: int | None = None
    cc: str | None = None
    cls: Net | None = None
    lat: float | None = None
    lon: float | None = None
    acc: float | None = None
    ua: str | None = None
    br: str | None = None
    ver: int | None = None
    os: str | None = None
    dev: str | None = None
    ref: str = ""

"""What happens in a population, before anybody judges it: honest and dishonest acts with their labels."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.traffic.world import Net

Fields = dict[str, object]


@dataclass(slots=True)
class Moment:
    """One act. `person`: the user's kind. `incident`: 0 for honest acts. The labels never reach a scorer."""

    ts: int
    type: str
    sub: str
    sid: str
    fields: Fields
    person: str = ""
    incident: int = 0


@dataclass(slots=True)
class Incident:
    number: int
    attack: str
    victim: str
    passes: float  # how often this attacker gets through a step-up
    steals: str = ""  # the session whose refresh token is used


@dataclass(slots=True)
class Lived:
    """One honest session: when its owner used it, and with what."""

    sub: str
    sid: str
    person: str
    times: list[int] = field(default_factory=list)
    last: Fields = field(default_factory=dict)


def described(net: Net, ip: str) -> Fields:
    """The fields of an event that come from the network; what is unknown is absent."""
    told: Fields = {"ip": ip, "asn": net.asn, "cc": net.cc, "cls": net.cls}
    if net.geo:
        told |= {"lat": round(net.lat, 3), "lon": round(net.lon, 3), "acc": net.acc}
    return told

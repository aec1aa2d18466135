"""How new the network is to the subject, how new the device, and what kind of network it is."""

from __future__ import annotations

from enum import IntEnum

from services.anomaly.scoring.acts import Net
from services.anomaly.scoring.distance import kilometres
from services.anomaly.scoring.learning import HIDING, NEAR_KM
from services.anomaly.scoring.memory import NET, Device, Memory, Provider, Session
from services.anomaly.scoring.traits import CLASS_NUMBERS, Traits, system


class Level(IntEnum):
    """Of the network: each step further from what the subject has used."""

    KNOWN = 0
    SAME_PROVIDER = 1
    NEW_PROVIDER = 2
    NEW_COUNTRY = 3


def network_level(memory: Memory, seen: Traits) -> Level | None:
    """None: no opinion. Another address of a relay in the same country is no news; a VPN's country says nothing."""
    if seen.net and any(word & NET == seen.net for _, word in memory.networks):
        return Level.KNOWN
    if not memory.providers or not (seen.asn or seen.cc):
        return None
    return _provider_level(memory.providers, seen)


def _provider_level(known: list[Provider], seen: Traits) -> Level | None:
    relay = seen.cls is Net.RELAY
    countryless = seen.cls in HIDING or not seen.cc
    level = Level.NEW_PROVIDER if countryless else Level.NEW_COUNTRY
    for _, _, asn, cc, word in known:
        if relay and word & 7 == _RELAY and cc == seen.cc:
            return Level.KNOWN
        if asn == seen.asn and (countryless or cc == seen.cc):
            level = Level.SAME_PROVIDER
        elif cc == seen.cc and level is Level.NEW_COUNTRY:
            level = Level.NEW_PROVIDER
    return level if seen.asn or level is Level.NEW_COUNTRY else None


_RELAY = CLASS_NUMBERS[Net.RELAY]


def change(memory: Memory, seen: Traits, level: Level) -> str:
    """How often the subject's network changes: within this provider, or how many providers there are."""
    if level is not Level.SAME_PROVIDER:
        return _steps(len(memory.providers), _COUNTS)
    times = new = 0
    for _, count, asn, _, word in memory.providers:
        if asn == seen.asn:
            times, new = times + count, new + (word >> 3)
    return _steps((new + 0.5) / (times + 5), _RATES)


_COUNTS = ((1, "one"), (2, "two"), (3, "three"), (5, "five"), (7, "seven"))
_RATES = ((0.01, "1%"), (0.02, "2%"), (0.05, "5%"), (0.1, "10%"), (0.2, "20%"))


def _steps(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    return next((name for bound, name in steps if value <= bound), "more")


def place(memory: Memory, seen: Traits) -> str | None:
    """`near` a place that is known, or `far` from all of them, beyond the error radii."""
    spot = seen.spot
    if spot is None or not memory.places:
        return None
    for _, _, lat, lon, acc in memory.places:
        if kilometres(lat, lon, spot.lat, spot.lon) <= NEAR_KM + acc + spot.acc:
            return "near"
    return "far"


def network_class(memory: Memory, seen: Traits) -> str | None:
    """The class of a network that is not known, `usual` where the subject has used that class before."""
    if seen.cls is None:
        return None
    number = CLASS_NUMBERS[seen.cls]
    usual = any(word & 7 == number for _, _, _, _, word in memory.providers)
    return f"{seen.cls}_usual" if usual else str(seen.cls)


def device_at_sign_in(memory: Memory, seen: Traits, day: int) -> str | None:
    """Against all devices of the subject. None: no opinion."""
    if seen.scripted:
        return "script"
    if not seen.device or not memory.devices:
        return None
    same = [each for each in memory.devices if each[2] == seen.device]
    if not same:
        return "other_browser" if any(system(each[2]) == system(seen.device) for each in memory.devices) else "other_system"
    if seen.unit and not any(unit in {0, seen.unit} for _, _, _, unit, _ in same):
        return "other_unit"
    return _version(same, seen.ver, day)


def _version(same: list[Device], ver: int, day: int) -> str:
    if not ver or any(each == ver for *_, each in same):
        return "known"
    below = [(each, last) for last, _, _, _, each in same if each < ver]
    if not below:
        return "downgrade"
    nearest, last = max(below)
    return "upgrade" if ver - nearest <= usual_steps(day - last) else "leap"


def usual_steps(days: int) -> int:
    """How many versions a browser moves on in this time: one in four weeks, and the odd one that was skipped."""
    return 2 + max(0, days) // 14


def device_in_session(session: Session, seen: Traits) -> str | None:
    """Against the session's last act. A session lives in one browser: it may be updated and nothing else."""
    if seen.scripted or not seen.device or not session.device:
        return "script" if seen.scripted else None
    if seen.device != session.device:
        return "other_browser" if system(seen.device) == system(session.device) else "other_system"
    if seen.unit and session.unit and seen.unit != session.unit:
        return "other_unit"
    if not seen.ver or not session.ver or seen.ver == session.ver:
        return "same"
    return "upgrade" if seen.ver > session.ver else "downgrade"

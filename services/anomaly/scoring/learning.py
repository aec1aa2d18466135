"""What an act that is believed adds to the memory. Changes the memory it is given."""

from __future__ import annotations

from collections.abc import Sequence

from services.anomaly.scoring.acts import Net
from services.anomaly.scoring.distance import kilometres
from services.anomaly.scoring.memory import (
    DEVICES,
    MOST_TIMES,
    NET,
    NETWORKS,
    PLACES,
    PROVIDERS,
    Device,
    Fixed,
    Memory,
    Network,
    Place,
    Provider,
)
from services.anomaly.scoring.traits import CLASS_NUMBERS, Spot, Traits

HIDING = frozenset((Net.VPN, Net.TOR))
"""Their exits' country is not the user's."""

NEAR_KM = 60
MOST_FRESH = 31
_MOST_SEEN = 0xFFFF
_MOST_WORTH = 60
"""Days that a thing seen often outlives one that was seen once."""


def learn(memory: Memory, seen: Traits, second: int, weight: int = 1) -> None:
    """`weight`: how often it counts; what was proved by a step-up counts for more."""
    day = second // 86_400
    memory.seen = min(memory.seen + 1, _MOST_SEEN)
    fresh = bool(seen.net) and _learn_network(memory.networks, seen.net, day, weight)
    if seen.asn:
        _learn_provider(memory.providers, seen, day, weight, fresh)
    if seen.device:
        _learn_device(memory.devices, seen, day, weight)
    if seen.spot:
        fixed = memory.fixed
        if fixed.second // 86_400 != day or (fixed.lat, fixed.lon) != (seen.spot.lat, seen.spot.lon):
            _learn_place(memory.places, seen.spot, day, weight)
        if second >= fixed.second:
            memory.fixed = Fixed(second, seen.spot.lat, seen.spot.lon, seen.spot.acc)


def _learn_network(known: list[Network], net: int, day: int, weight: int) -> bool:
    """Whether it was new."""
    for at, (last, word) in enumerate(known):
        if word & NET == net:
            known[at] = (max(day, last), min((word >> 24) + weight, MOST_TIMES) << 24 | net)
            return False
    if len(known) >= NETWORKS:
        known.remove(min(known, key=_network_worth))
    known.append((day, weight << 24 | net))
    return True


def _learn_provider(known: list[Provider], seen: Traits, day: int, weight: int, fresh: bool) -> None:
    cc = 0 if seen.cls in HIDING else seen.cc
    for at, (last, before, asn, country, word) in enumerate(known):
        if asn == seen.asn and country == cc:
            times, new = before + weight, (word >> 3) + fresh
            if times > MOST_TIMES or new > MOST_FRESH:
                times, new = times // 2, new // 2
            known[at] = (max(day, last), times, asn, cc, word & 7 | new << 3)
            return
    if len(known) >= PROVIDERS:
        known.remove(min(known, key=_worth))
    known.append((day, weight, seen.asn, cc, CLASS_NUMBERS[seen.cls] | fresh << 3))


def _learn_device(known: list[Device], seen: Traits, day: int, weight: int) -> None:
    """An upgrade takes the place of the version before it; a second device that lags behind is an entry of its own."""
    found, below = -1, -1
    for at, (_, _, device, unit, ver) in enumerate(known):
        if device == seen.device and unit == seen.unit and below < ver <= seen.ver:
            found, below = at, ver
    if found >= 0:
        last, times, device, unit, _ = known[found]
        known[found] = (max(day, last), min(times + weight, MOST_TIMES), device, unit, seen.ver)
        return
    if len(known) >= DEVICES:
        known.remove(min(known, key=_worth))
    known.append((day, weight, seen.device, seen.unit, seen.ver))


def _learn_place(known: list[Place], spot: Spot, day: int, weight: int) -> None:
    for at, (last, times, lat, lon, acc) in enumerate(known):
        if kilometres(lat, lon, spot.lat, spot.lon) < NEAR_KM:
            known[at] = (max(day, last), min(times + weight, MOST_TIMES), lat, lon, min(acc, spot.acc))
            return
    if len(known) >= PLACES:
        known.remove(min(known, key=_worth))
    known.append((day, weight, spot.lat, spot.lon, spot.acc))


def _worth(entry: Sequence[int]) -> tuple[int, int]:
    """Forget what was seen longest ago, unless it was seen much more often."""
    return entry[0] + min(entry[1], _MOST_WORTH), entry[1]


def _network_worth(entry: Network) -> tuple[int, int]:
    return _worth((entry[0], entry[1] >> 24))

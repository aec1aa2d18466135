"""Everything that is looked at in a sign-in or a refresh, as names and values; the weights turn them into numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log

from services.anomaly.scoring.campaigns import Campaign, source_failures, wave_failures
from services.anomaly.scoring.memory import SESSIONS, Memory, Session
from services.anomaly.scoring.movement import IN_A_ROW, comes_back, pause, too_soon, travel_km
from services.anomaly.scoring.novelty import (
    Level,
    change,
    device_at_sign_in,
    device_in_session,
    network_class,
    network_level,
    place,
)
from services.anomaly.scoring.reasons import Reason
from services.anomaly.scoring.traits import Traits
from services.anomaly.scoring.weights import WEIGHTS

FAILURE_SECONDS = 3600
MOST_CAMPAIGN = 5.0
SELDOM = 2.5
"""Acts a day."""
_AGES = ((1, "1d"), (3, "3d"), (7, "7d"), (14, "14d"), (30, "30d"))
_LEVELS = {level: level.name.lower() for level in Level}


@dataclass(frozen=True, slots=True)
class Sight:
    """What the detectors are given. `session`: what is remembered of it, None at a sign-in and where it was forgotten."""

    memory: Memory
    session: Session | None
    seen: Traits
    second: int
    sign_in: bool
    campaign: Campaign

    @property
    def mode(self) -> str:
        """Sign-ins and refreshes have weights of their own."""
        return "sign_in" if self.sign_in else "refresh"


def evidence(sight: Sight) -> tuple[Level | None, list[Reason]]:
    """The network's level and all reasons. A subject's first act can only be judged by the company it keeps."""
    found = _company(sight)
    if not sight.memory.seen:
        return None, [*found, Reason("history", "first", 0.0)]
    level = network_level(sight.memory, sight.seen)
    found.append(_weighed("kind", sight.mode))
    found += _network(sight, level)
    device, value = _device(sight)
    if value:
        found.append(_weighed(f"{device}.{sight.mode}", value))
    if level or value not in {None, "known", "same", "upgrade"}:
        found.append(_weighed(f"history.{sight.mode}", _age(sight)))
    return level, found + _movement(sight, level)


@cache
def _weighed(table: str, value: str) -> Reason:
    return Reason(table, value, WEIGHTS.get(table, _NOTHING).get(value, 0.0))


_NOTHING: dict[str, float] = {}


def _network(sight: Sight, level: Level | None) -> list[Reason]:
    if level is None:
        return []
    found = [_weighed(f"network.{sight.mode}", _LEVELS[level])]
    if level is Level.KNOWN:
        return found
    cls = network_class(sight.memory, sight.seen)
    if cls:
        found.append(_weighed(f"class.{sight.mode}", cls))
    step = "same_provider" if level is Level.SAME_PROVIDER else "elsewhere"
    found.append(_weighed(f"change.{sight.mode}.{step}", change(sight.memory, sight.seen, level)))
    where = place(sight.memory, sight.seen) if level is not Level.NEW_COUNTRY else None
    if where:
        found.append(_weighed(f"place.{_LEVELS[level]}", where))
    gap = _gap(sight)
    if gap is not None:
        found.append(_weighed(f"pause.{sight.mode}.{step}", pause(gap)))
    return found


def _gap(sight: Sight) -> int | None:
    """Seconds since the session's last act. One that is forgotten was left before the others. A sign-in looks at them all."""
    if sight.session:
        return max(0, sight.second - sight.session.second)
    if sight.sign_in:
        return max(0, sight.second - sight.memory.second)
    if len(sight.memory.sessions) < SESSIONS:
        return None
    return max(0, sight.second - min(each.second for each in sight.memory.sessions))


def _device(sight: Sight) -> tuple[str, str | None]:
    if sight.session:
        return "switch", device_in_session(sight.session, sight.seen)
    return "device", device_at_sign_in(sight.memory, sight.seen, sight.second // 86_400)


def _age(sight: Sight) -> str:
    days = sight.second // 86_400 - sight.memory.first
    return next((name for bound, name in _AGES if days < bound), "long")


def _density(memory: Memory, second: int) -> str:
    """Who acts seldom is more often found elsewhere at the next act."""
    days = max(1, second // 86_400 - memory.first)
    return "seldom" if memory.seen < SELDOM * days else "usual"


def _movement(sight: Sight, level: Level | None) -> list[Reason]:
    memory, session, seen = sight.memory, sight.session, sight.seen
    found = []
    if level:
        apart = travel_km(memory, seen.spot, sight.second)
        if apart and place(memory, seen) != "near":
            found.append(Reason("travel", f"{apart} km", WEIGHTS["travel"]["impossible"]))
        if seen.net and memory.trouble.failed_net == seen.net and sight.second - memory.trouble.failed_second < FAILURE_SECONDS:
            found.append(_weighed("failures", "same_network"))
        if session:
            found.append(_weighed("density", _density(memory, sight.second)))
        if session and session.interval:
            value = "too_soon" if too_soon(session, sight.second) else "in_time"
            found.append(_weighed("cadence", value))
    if seen.net and seen.net == memory.trouble.refused_net:
        found.append(_weighed("refused", "same_network"))
    if session and comes_back(session, seen, sight.second):
        found.append(_weighed("alternation", "two_networks"))
    if session and session.early >= IN_A_ROW:
        found.append(_weighed("pace", "too_many"))
    return found


def _company(sight: Sight) -> list[Reason]:
    """What others suffered from this network, with this user agent, from this device."""
    if not sight.sign_in:
        return []
    campaign, found = sight.campaign, []
    failed = source_failures(campaign, sight.seen.cls)
    if failed:
        found.append(Reason("campaign", str(failed), round(min(MOST_CAMPAIGN, log(failed)), 2)))
    wave = wave_failures(campaign)
    if wave:
        found.append(_weighed("wave", "many" if wave < 20 else "very_many"))  # noqa: PLR2004
    if campaign.unit_failed > 20:  # noqa: PLR2004
        found.append(_weighed("unit", "many"))
    return found

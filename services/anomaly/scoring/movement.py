"""How the subject got here: travel, pauses, a session that is used from two networks, refreshes that come too soon."""

from __future__ import annotations

from services.anomaly.scoring.distance import kilometres
from services.anomaly.scoring.memory import Memory, Session
from services.anomaly.scoring.traits import CLASSES, FIXED, Spot, Traits, short_net

MARGIN_KM = 300
MARGIN_HOURS = 0.25
TOP_SPEED = 900  # km/h
ALTERNATION_SECONDS = 600
IN_A_ROW = 5
TOO_SOON = 0.85
"""A client refreshes when its access token is about to expire, hardly before."""

_PAUSES = ((120, "2min"), (600, "10min"), (1800, "30min"), (7200, "2h"), (28_800, "8h"), (86_400, "1d"), (14 * 86_400, "14d"))


def travel_km(memory: Memory, spot: Spot | None, second: int) -> int:
    """How far apart two fixed lines are that nobody can have travelled between; 0: possible, or no opinion."""
    if spot is None or not memory.fixed.second:
        return 0
    apart = kilometres(memory.fixed.lat, memory.fixed.lon, spot.lat, spot.lon)
    beyond = apart - memory.fixed.acc - spot.acc - MARGIN_KM
    hours = abs(second - memory.fixed.second) / 3600 + MARGIN_HOURS
    return round(apart) if beyond > 0 and beyond / hours > TOP_SPEED else 0


def pause(seconds: int) -> str:
    """The time since the last act, in steps; from `dormant` on the session had been left."""
    return next((name for bound, name in _PAUSES if seconds < bound), "dormant")


def comes_back(session: Session, seen: Traits, second: int) -> bool:
    """A-B-A within ten minutes between two fixed lines of different providers."""
    fixed = CLASSES[session.cls] in FIXED and seen.cls in FIXED
    known = bool(session.before and session.net and seen.net and session.asn and seen.asn)
    recent = 0 <= second - session.second + session.stay <= ALTERNATION_SECONDS
    return (
        known
        and fixed
        and recent
        and session.net != seen.net
        and short_net(seen.net) == session.before
        and seen.asn != session.asn
    )


def too_soon(session: Session, second: int) -> bool:
    """The refresh came before the client's own cadence asks for one."""
    return bool(session.interval) and 0 <= second - session.second < TOO_SOON * session.interval


def next_interval(interval: int, gap: int) -> int:
    """The cadence is near the shortest usual gap: follow shorter ones quickly and longer ones slowly."""
    if gap <= 0 or gap > 4 * 3600:
        return interval
    if not interval:
        return gap
    return interval + (gap - interval) // (3 if gap < interval else 8)

"""An already rotated refresh token came again: a client racing with itself, or a second holder. A hard rule."""

from __future__ import annotations

from services.anomaly.scoring.memory import NET, Memory
from services.anomaly.scoring.novelty import device_in_session
from services.anomaly.scoring.traits import Traits

SAME_NETWORK_SECONDS = 60
"""A client that lost the answer tries again; from where it was, for this long (Cognito's longest grace)."""

OTHER_NETWORK_SECONDS = 30
"""The answer may be lost because the device changed its network; then it comes from one that the subject uses."""

MOVED_SECONDS = 15
"""After a rotation from a network that was new, the old token's coming from another provider is a race only at once."""


def verdict(memory: Memory, sid: int, seen: Traits, second: int) -> str:
    """Why it is not a race, or `race`. `ended`: it was ended already. `unknown`: nothing is remembered of the subject."""
    session = memory.session(sid)
    if session is None:
        return _of_a_forgotten_session(memory, sid)
    if device_in_session(session, seen) not in {None, "same"}:
        return "other_device"
    gap = second - session.second
    if seen.net == session.net or not seen.net or not session.net:
        return "race" if gap <= SAME_NETWORK_SECONDS else "late"
    known = any(word & NET == seen.net for _, word in memory.networks)
    if not known and not any(asn == seen.asn for _, _, asn, _, _ in memory.providers):
        return "other_network"
    if session.moved and seen.asn != session.asn and gap > MOVED_SECONDS:
        return "after_a_move"
    return "race" if gap <= OTHER_NETWORK_SECONDS else "late"


def _of_a_forgotten_session(memory: Memory, sid: int) -> str:
    if memory.trouble.broken_sid == sid:
        return "ended"
    return "older" if memory.seen else "unknown"

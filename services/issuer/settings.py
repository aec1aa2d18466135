"""What can be set about the issuer. `services/settings.py` fills it; the defaults are the documented ones."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE_S = 60
DAY_S = 24 * 60 * MINUTE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSettings:
    """Durations in seconds. A limit of 0 is off."""

    iss: str
    audience: str = "rescind"
    algorithm: str = "ES256"  # of access tokens: ES256, EdDSA or RS256
    access_ttl: int = 15 * MINUTE_S
    refresh_ttl: int = 7 * DAY_S
    remember_ttl: int = 30 * DAY_S
    absolute_limit: int = 90 * DAY_S
    inactivity_limit: int = 0
    session_limit: int = 0  # living sessions of one subject; the oldest ends first
    race_window: int = 30
    late_replays: int = 2
    lift_window: int = 7 * DAY_S
    key_ahead: int = 10 * MINUTE_S  # a new access key is published so long before it signs
    clock_leeway: int = 30  # of verifiers: an old access key stays published so much longer than its last token
    password_change_ends_all: bool = False
    password_hashes: int = 2  # argon2 computations at one time
    personal_retention: int = 90 * DAY_S
    asn_database: str = ""  # an mmdb file; empty: autonomous systems are unknown

"""What one synthetic population is like. Drawn from a seed, widely, so that nothing is tuned to one of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

KINDS = ("home", "ipv6", "cgnat", "relay", "corporate", "vpn", "traveller", "new_device")
ATTACKS = (
    "naive",
    "vpn",
    "aitm",
    "stuffing",
    "spray",
    "same_city",
    "same_isp",
    "replay_foreign",
    "replay_vpn",
    "replay_same_city",
    "replay_dormant",
)
DAY = 86_400_000
START = 1_760_000_000_000


@dataclass(frozen=True, slots=True)
class Params:
    """Rates are per event unless the name says otherwise; times are in days or minutes as named."""

    seed: int
    users: int
    days: int
    warmup_days: int
    mix: Mapping[str, float]  # user kind -> share
    home_country: float  # share of users in the first country
    session_days: float  # median life of a session
    bursts_per_day: float
    burst_minutes: float
    ttl_minutes: float
    jitter: float  # of the refresh cadence
    early: float  # refreshes that a client makes before the cadence asks for them (restart, second tab)
    renumber_days: float
    cafe: float
    haunts: float  # other fixed lines that somebody keeps coming back to
    vpn_try: float  # somebody tries a VPN, per stay
    cloud: float  # share of corporate exits that stand in a hosting provider's network
    trips_per_100_days: float
    dormancy: float  # share of devices that rest for weeks
    race: float
    race_seconds: float
    typo: float
    dev: str  # what the field `dev` holds: none, type, model or id
    cookie_days: float
    missing_geo: float
    missing_ua: float
    missing_asn: float
    bad_geo: float
    owner_passes: float
    thief_passes: float
    aitm_passes: float
    incidents: int  # of each kind
    thief_keeps_dev: float  # a stolen session's device id comes with it
    res_proxies: float  # how much of the attackers' traffic leaves through residential proxies
    script: float  # stuffing with a scripted user agent


def draw(seed: int, users: int = 260, days: int = 56) -> Params:
    """The population of a seed."""
    rng = random.Random(f"params-{seed}")
    pick, uniform = rng.choice, rng.uniform
    shares = {
        "home": uniform(0.25, 0.45),
        "ipv6": uniform(0.08, 0.18),
        "cgnat": uniform(0.10, 0.25),
        "relay": uniform(0.04, 0.12),
        "corporate": uniform(0.08, 0.20),
        "vpn": uniform(0.03, 0.08),
        "traveller": uniform(0.03, 0.08),
        "new_device": uniform(0.03, 0.08),
    }
    total = sum(shares.values())
    return Params(
        seed=seed,
        users=users,
        days=days,
        warmup_days=pick([7, 10, 14]),
        mix={kind: share / total for kind, share in shares.items()},
        home_country=uniform(0.3, 0.9),
        session_days=pick([0.7, 2, 5, 10, 20]),
        bursts_per_day=uniform(0.5, 3.0),
        burst_minutes=uniform(10, 60),
        ttl_minutes=pick([10, 15, 30, 60, 240, 600]),
        jitter=uniform(0.02, 0.4),
        early=uniform(0.0, 0.15),
        renumber_days=pick([1, 20, 60, 120]),
        cafe=exp(uniform(log(0.0004), log(0.015))),
        haunts=uniform(0.1, 1.0),
        vpn_try=exp(uniform(log(0.00002), log(0.001))),
        cloud=uniform(0.0, 0.4),
        trips_per_100_days=exp(uniform(log(0.05), log(0.6))),
        dormancy=uniform(0.1, 0.3),
        race=uniform(0.002, 0.01),
        race_seconds=uniform(0.5, 6),
        typo=uniform(0.03, 0.1),
        dev=pick(["none", "type", "model", "id"]),
        cookie_days=uniform(60, 200),
        missing_geo=uniform(0.0, 0.12),
        missing_ua=uniform(0.0, 0.02),
        missing_asn=uniform(0.0, 0.03),
        bad_geo=uniform(0.02, 0.12),
        owner_passes=uniform(0.92, 0.99),
        thief_passes=uniform(0.02, 0.1),
        aitm_passes=uniform(0.35, 0.65),
        incidents=40,
        thief_keeps_dev=pick([1.0, 1.0, 0.7]),
        res_proxies=uniform(0.1, 0.45),
        script=uniform(0.0, 0.4),
    )

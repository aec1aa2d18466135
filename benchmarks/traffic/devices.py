"""Devices and what they say of themselves: user agents whose versions move on as browsers are updated."""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.traffic.params import DAY, START

PHONES = (
    ("iOS", "Mobile Safari", 45),
    ("Android", "Chrome Mobile", 42),
    ("Android", "Samsung Internet", 8),
    ("Android", "Firefox Mobile", 3),
    ("iOS", "Chrome Mobile iOS", 4),
)
COMPUTERS = (
    ("Windows", "Chrome", 46),
    ("Windows", "Edge", 16),
    ("Windows", "Firefox", 7),
    ("Mac OS X", "Safari", 13),
    ("Mac OS X", "Chrome", 11),
    ("Linux", "Firefox", 3),
    ("Linux", "Chrome", 3),
)
MODELS = {
    "iOS": ["iPhone", "iPhone", "iPad"],
    "Android": ["Pixel 8", "SM-S911B", "SM-A546B", "Redmi 12", "moto g84", "CPH2211", "SM-G991B"],
    "Windows": ["PC"],
    "Mac OS X": ["Mac"],
    "Linux": ["PC"],
}
BASE = {"Mobile Safari": 18, "Safari": 18, "Samsung Internet": 26}
YEARLY = ("Mobile Safari", "Safari", "Samsung Internet")


def current(br: str, ts: int, lag_days: float = 0.0) -> int:
    """The version that was released `lag_days` before: every four weeks, or thrice a year for those that come with the system."""
    every = 120 if br in YEARLY else 28
    return BASE.get(br, 128) + int((ts - START + 60 * DAY - lag_days * DAY) // (every * DAY))


@dataclass(slots=True)
class Device:
    """`dev`: what the population's field of that name holds, or empty."""

    os: str
    br: str
    phone: bool
    lag: float
    dev: str
    frozen: int = 0  # a version that is never updated

    def version(self, ts: int) -> int:
        return self.frozen or current(self.br, ts, self.lag)

    def seen(self, ts: int) -> dict[str, object]:
        return spoken(self.os, self.br, self.version(ts), self.dev)


def spoken(os: str, br: str, ver: int, dev: str) -> dict[str, object]:
    """The fields of an event that come from the user agent and the device cookie."""
    told: dict[str, object] = {"ua": f"Mozilla/5.0 ({os}) {br.replace(' ', '')}/{ver}.0.0.0", "br": br, "ver": ver, "os": os}
    return told | ({"dev": dev} if dev else {})


def make(rng: random.Random, mode: str, *, phone: bool, like: Device | None = None) -> Device:
    """A new device; `like`: people often stay with what they know."""
    kinds = PHONES if phone else COMPUTERS
    os, br = rng.choices([each[:2] for each in kinds], [each[2] for each in kinds])[0]
    if like is not None and rng.random() < 0.6:
        os, br = like.os, like.br
    lag = rng.choice([1, 2, 3, 5, 8, 14, 30])
    frozen = current(br, START) - rng.randint(2, 14) if rng.random() < 0.06 else 0
    return Device(os, br, phone, lag, named(rng, mode, os, phone=phone), frozen)


def named(rng: random.Random, mode: str, os: str, *, phone: bool) -> str:
    """What `dev` holds for such a device."""
    if mode == "type":
        return "mobile" if phone else "desktop"
    if mode == "model":
        return rng.choice(MODELS[os])
    return f"{rng.getrandbits(64):016x}" if mode == "id" else ""


def popular(rng: random.Random, ts: int) -> tuple[str, str, int]:
    """(os, browser, version) as an attacker picks it: what most people have."""
    kinds = (*PHONES, *COMPUTERS)
    os, br = rng.choices([each[:2] for each in kinds], [each[2] for each in kinds])[0]
    return os, br, current(br, ts, rng.choice([2, 5, 10, 30, 60, 120]))

"""Browser and operating system from a user agent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import ua_parser

MAX_LENGTH = 512
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Agent:
    """Families without versions; None where they are unknown."""

    browser: str | None = None
    os: str | None = None


def cleaned(user_agent: str | None) -> str | None:
    """Without control characters and cut to a length that can be stored; None when nothing is left."""
    text = (user_agent or "")[:MAX_LENGTH]
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable())
    return text.strip() or None


@lru_cache(maxsize=_REMEMBERED)
def parse(user_agent: str) -> Agent:
    """The families of a cleaned user agent."""
    found = ua_parser.parse(user_agent)
    return Agent(
        browser=found.user_agent.family if found.user_agent else None,
        os=found.os.family if found.os else None,
    )

"""The life of signing keys: published ahead, signing, in overlap, retired; or revoked. Pure; times in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class Use(StrEnum):
    """What a key signs."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key's life, without the key. 0: it has not happened."""

    kid: str
    use: Use
    algorithm: str
    signs_from: int
    retired_at: int = 0
    revoked_at: int = 0

    @property
    def usable(self) -> bool:
        """Whether what it signed is still accepted."""
        return not self.retired_at and not self.revoked_at


def signing(keys: Iterable[Key], use: Use, now: int) -> Key | None:
    """The youngest usable key whose time has come; the next one ahead where there is none."""
    usable = sorted((key for key in keys if key.use is use and key.usable), key=lambda key: (key.signs_from, key.kid))
    come = [key for key in usable if key.signs_from <= now]
    return come[-1] if come else next(iter(usable), None)


def published(keys: Iterable[Key]) -> tuple[Key, ...]:
    """The access keys that verifiers need to know, the oldest first: in overlap, signing, ahead."""
    usable = (key for key in keys if key.use is Use.ACCESS and key.usable)
    return tuple(sorted(usable, key=lambda key: (key.signs_from, key.kid)))


def over(keys: Iterable[Key], use: Use, now: int, life: int) -> tuple[Key, ...]:
    """Keys whose overlap is over: the last token that they can have signed, `life` long, has expired."""
    usable = sorted((key for key in keys if key.use is use and key.usable), key=lambda key: (key.signs_from, key.kid))
    return tuple(key for key, successor in pairwise(usable) if successor.signs_from + life <= now)

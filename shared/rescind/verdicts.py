"""What the revocation list says about a target: pure values, and how several of them fold into one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rescind.claims import Claims
from rescind.vocabulary import Target

_EVERYTHING = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Cut:
    """Which tokens of a target are meant.

    Sessions with a number <= `sn` but for `except_sn`, and whatever was authenticated at or before `auth_time` (seconds).
    -1 means: none. A `Cut` with neither covers nothing.
    """

    sn: int = -1
    except_sn: int = -1
    auth_time: int = -1

    def covers(self, claims: Claims) -> bool:
        """Tell whether the token began before the cut. Tokens without `auth_time` are judged by `iat`."""
        if 0 <= claims.sn <= self.sn and claims.sn != self.except_sn:
            return True
        began = claims.auth_time if claims.auth_time >= 0 else claims.iat
        return began <= self.auth_time


ALWAYS = Cut(sn=_EVERYTHING, auth_time=_EVERYTHING)
"""Covers every token: the target has ended (or is held) as a whole."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The effective verdict on one target; the strictest part that applies to a token counts: end, hold, refresh.

    `cv` is the least claims version accepted; tokens with `iat` <= `iat` (seconds) are outdated too. -1: no such rule.
    """

    end: Cut | None = None
    hold: Cut | None = None
    step_up_id: str = ""
    cv: int = -1
    iat: int = -1
    reason: str = ""

    @property
    def empty(self) -> bool:
        """Whether it refuses nothing, and so stands for no verdict at all."""
        return self.end is None and self.hold is None and self.cv < 0 and self.iat < 0

    def outdates(self, claims: Claims) -> bool:
        """Tell whether the token carries claims from before a change."""
        return 0 <= claims.cv < self.cv or claims.iat <= self.iat


@dataclass(frozen=True, slots=True)
class Change:
    """The verdict that from now on stands for a target; None: the target is in the list no more."""

    target: Target
    verdict: Verdict | None


def fold_cuts(cuts: Iterable[Cut]) -> Cut:
    """Fold cuts into the one that covers exactly what any of them covers.

    The highest numbers count. Only the exception of the highest cut can stand, and only while every cut that reaches it
    makes it too.
    """
    cuts = tuple(cuts)
    sn = max((cut.sn for cut in cuts), default=-1)
    auth_time = max((cut.auth_time for cut in cuts), default=-1)
    excepted = {cut.except_sn for cut in cuts if cut.sn == sn}
    except_sn = excepted.pop() if len(excepted) == 1 else -1
    stands = 0 <= except_sn <= sn and all(cut.except_sn == except_sn for cut in cuts if cut.sn >= except_sn)
    return Cut(sn, except_sn if stands else -1, auth_time)

"""What is remembered of a subject: a bounded record that is packed between any two acts.

    head | networks | providers | devices | places | sessions | pending

Times are seconds or days since 1970. Each list is bounded; what was not seen for longest, and least often, makes room.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

MOST_TIMES = 255
NET = 0xFFFFFF
"""The bits of a network."""

Network = tuple[int, int]
"""(last day, times in the upper 8 bits and the network in the lower 24)"""

Provider = tuple[int, int, int, int, int]
"""(last day, times, asn, country, class in the lower 3 bits and above them how often a network of it was new).

The country is 0 where it says nothing: behind a VPN or Tor.
"""

Device = tuple[int, int, int, int, int]
"""(last day, times, device, unit, version)"""

Place = tuple[int, int, int, int, int]
"""(last day, times, latitude, longitude, error radius)"""


class Session(NamedTuple):
    """The session's last act. `before`: the network before the present one; `stay`: seconds since it was seen.

    `interval`: its cadence in seconds, 0 unknown. `word`: the network in 24 bits, and above them what `marked` puts together.
    """

    second: int
    sid: int
    word: int
    asn: int
    device: int
    unit: int
    ver: int
    before: int
    stay: int
    interval: int

    @property
    def net(self) -> int:
        """0: unknown."""
        return self.word & NET

    @property
    def cls(self) -> int:
        """The number of the network's class."""
        return self.word >> 24 & 7

    @property
    def moved(self) -> bool:
        """Whether the last act came from a network that the subject did not know."""
        return bool(self.word >> 27 & 1)

    @property
    def early(self) -> int:
        """How many refreshes in a row came too soon, at most 15."""
        return self.word >> 28


def marked(net: int, cls: int, early: int, *, moved: bool) -> int:
    """A session's `word`."""
    return net | cls << 24 | moved << 27 | min(early, 15) << 28


class Pending(NamedTuple):
    """What is learned if the step-up is passed. `acc` -1: no place."""

    eid: int
    net: int
    asn: int
    cc: int
    cls: int
    lat: int
    lon: int
    acc: int
    device: int
    unit: int
    ver: int


class Fixed(NamedTuple):
    """The last point on a fixed line."""

    second: int = 0
    lat: int = 0
    lon: int = 0
    acc: int = 0


class Trouble(NamedTuple):
    """Networks of the last wrong password and the last failed step-up; the last session that a hard rule ended."""

    failed_net: int = 0
    failed_second: int = 0
    refused_net: int = 0
    broken_sid: int = 0
    broken_second: int = 0


NO_TROUBLE = Trouble()
NOWHERE = Fixed()


@dataclass(slots=True)
class Memory:
    """`first`: the day of the first act. `seen`: acts that were learned. `second`: of the last act."""

    first: int = 0
    seen: int = 0
    second: int = 0
    fixed: Fixed = NOWHERE
    trouble: Trouble = NO_TROUBLE
    networks: list[Network] = field(default_factory=list)
    providers: list[Provider] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)

    def session(self, sid: int) -> Session | None:
        """The session's last act, if it is still remembered."""
        for each in self.sessions:
            if each.sid == sid:
                return each
        return None


NETWORKS, PROVIDERS, DEVICES, PLACES, SESSIONS, PENDING = 12, 8, 6, 3, 4, 2
"""The bounds of the lists."""

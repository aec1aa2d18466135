"""Where somebody is and with what, as far as a request tells. Everything in here is personal. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from rescind.events.personal import Personal


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """None means unknown. `known` is False when a back end told nothing at all."""

    ip: str | None = None
    user_agent: str | None = None
    device: str | None = None
    browser: str | None = None  # the user agent's family
    os: str | None = None
    asn: int | None = None
    place: str | None = None
    known: bool = True

    def personal(self, *, device_name: str | None = None, username: str | None = None) -> Personal:
        """The part of an event that gets sealed."""
        return Personal(
            ip=self.ip,
            user_agent=self.user_agent,
            device=self.device,
            device_name=device_name,
            username=username,
            browser=self.browser,
            os=self.os,
            asn=self.asn,
            place=self.place,
        )


UNKNOWN = Presence(known=False)


def same_device(one: Presence, other: Presence) -> bool:
    """Whether a retry comes from the device that made the first attempt: the same id and the same family of browsers.

    Unknown matches unknown, and nothing else: a thief who has the token but not the device's cookie is another device.
    """
    return (one.device, one.browser) == (other.device, other.browser)


def known_other_network(one: Presence, other: Presence) -> bool:
    """Whether both autonomous systems are known and differ."""
    return one.asn is not None and other.asn is not None and one.asn != other.asn


@lru_cache(maxsize=4096)
def network(ip: str) -> str:
    """The /24 or /64 around an address, which counts as one place."""
    address = ipaddress.ip_address(ip)
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False))  # noqa: PLR2004  (IP's versions)

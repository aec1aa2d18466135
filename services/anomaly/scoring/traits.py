"""What of an act is compared and remembered: short numbers, never an address or a name.

They are CRC-32: they tell a handful of a subject's own values apart, and protect nothing; the state is sealed as a whole.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from services.anomaly.scoring.acts import Act, Net

FIXED = frozenset((Net.HOME, Net.OFFICE))
"""Lines that do not move: only between their points is a distance evidence."""

SCRIPTED = re.compile(
    r"(?i)python|curl|wget|httpx|aiohttp|go-http|okhttp|java/|libwww|headless|phantomjs|scrapy|node-fetch|axios"
)
SPACE_V4, SPACE_V6 = 4, 6
CLASSES = (None, *Net)
CLASS_NUMBERS = {cls: number for number, cls in enumerate(CLASSES)}
_BROWSER_BITS = 10
_BYTE = 256


class Spot(NamedTuple):
    """Hundredths of a degree, and the error radius in km."""

    lat: int
    lon: int
    acc: int


class Traits(NamedTuple):
    """0 and None: unknown. `device`: system and browser, in 6 and 10 bits. `unit`: the device id, or the model."""

    net: int
    asn: int
    cc: int
    cls: Net | None
    spot: Spot | None
    device: int
    unit: int
    ver: int
    ua: int
    scripted: bool


def traits(act: Act) -> Traits:
    """Read once, used by every detector."""
    ua, scripted = agent(act.ua or act.br or "")
    return Traits(
        net=network(act.ip) if act.ip else 0,
        asn=short(str(act.asn)) if act.asn else 0,
        cc=country(act.cc),
        cls=act.cls,
        spot=spot(act),
        device=device(act.os, act.br) if act.os and act.br else 0,
        unit=short(act.dev) if act.dev else 0,
        ver=min(act.ver or 0, 0xFFFF),
        ua=ua,
        scripted=scripted,
    )


@lru_cache(4096)
def agent(text: str) -> tuple[int, bool]:
    """A user agent in 32 bits, 0 if unknown, and whether it is a script's."""
    return crc32(text.encode()), bool(SCRIPTED.search(text))


def network(ip: str) -> int:
    """The /24 or the /64 around a public address; 0 for anything else."""
    if ":" in ip:
        return _six(ip)
    parts = ip.split(".")
    if len(parts) != SPACE_V4 or not all(each.isdecimal() and len(each) < SPACE_V4 for each in parts):
        return 0
    first, second, third, last = (int(each) for each in parts)
    if max(first, second, third, last) >= _BYTE or not _is_public(first, second):
        return 0
    return crc32(bytes((first, second, third))) & 0xFFFFFF or 1


def _is_public(first: int, second: int) -> bool:
    """RFC 6890, by the leading half. What is kept for documentation stands for public networks."""
    if first in {0, 10, 127} or first >= 224:  # noqa: PLR2004
        return False
    return (first, second) not in _PRIVATE


_PRIVATE = frozenset(
    [(169, 254), (192, 168), (198, 18), (198, 19)]
    + [(172, each) for each in range(16, 32)]
    + [(100, each) for each in range(64, 128)]
)


def _six(ip: str) -> int:
    try:
        address = ipaddress.IPv6Address(ip)
    except ValueError:
        return 0
    if address.ipv4_mapped:
        return network(str(address.ipv4_mapped))
    packed = address.packed
    return (crc32(packed[:8]) & 0xFFFFFF or 1) if packed[0] >> 5 == 1 else 0  # 2000::/3, what is global unicast


def country(code: str | None) -> int:
    """Two letters in two bytes."""
    if code is None or len(code) != 2 or not code.isascii():  # noqa: PLR2004
        return 0
    return ord(code[0]) << 8 | ord(code[1])


def device(system: str, browser: str) -> int:
    """System and browser family; never 0."""
    return crc32(system.encode()) % 63 + 1 << _BROWSER_BITS | crc32(browser.encode()) % (1 << _BROWSER_BITS)


def system(device: int) -> int:
    """The system's part."""
    return device >> _BROWSER_BITS


def short(text: str) -> int:
    """16 bits, never 0: enough among the few devices of one subject."""
    return crc32(text.encode()) % 0xFFFF + 1


def short_net(net: int) -> int:
    """A network in 16 bits."""
    return net & 0xFFFF


def spot(act: Act) -> Spot | None:
    """Where a fixed line is, or None: elsewhere a point is a gateway's. No radius means a poor one."""
    if act.lat is None or act.lon is None or act.cls not in FIXED:
        return None
    return Spot(round(act.lat * 100), round(act.lon * 100), min(round(act.acc if act.acc is not None else 500), 0x7FFF))

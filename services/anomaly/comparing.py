"""Whether two acts came from one network, and from one device. None always means "no opinion", never "changed"."""

from __future__ import annotations

import ipaddress

from rescind.events.personal import Personal

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_DOCUMENTATION = tuple(
    ipaddress.ip_network(each)
    for each in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")  # RFC 5737, RFC 3849
)


def network(ip: str | None) -> Network | None:
    """The /24 or /64 around a public address. None for what is unknown, unreadable or private (RFC 1918, CGNAT, loopback, ...).

    Addresses of documentation stand for public ones: no packet comes from there, but examples and tests do.
    """
    try:
        address: Address = ipaddress.ip_address(ip or "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global and not any(address in each for each in _DOCUMENTATION):
        return None
    return ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False)  # noqa: PLR2004  (IP versions)


def network_changed(before: Personal, now: Personal) -> bool | None:
    """Another /24 or /64, unless one provider (AS) is known to own both. Across IPv4 and IPv6 only the provider counts."""
    one, other = network(before.ip), network(now.ip)
    if one is None or other is None:
        return None
    if one == other:
        return False
    if before.asn is not None and now.asn is not None:
        return before.asn != now.asn
    return True if one.version == other.version else None


def device_changed(before: Personal, now: Personal) -> bool | None:
    """Another device id; where one side has none, another browser or system (an upgrade is no change)."""
    if before.device is not None and now.device is not None:
        return before.device != now.device
    if None in (before.browser, before.os, now.browser, now.os):
        return None
    return (before.browser, before.os) != (now.browser, now.os)


def is_telling(personal: Personal | None) -> bool:
    """Whether both network and device are known, so that a later act can be compared with this one."""
    if personal is None or network(personal.ip) is None:
        return False
    return personal.device is not None or None not in (personal.browser, personal.os)

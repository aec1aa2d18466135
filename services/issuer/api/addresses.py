"""The client's address: the peer's, or what configured proxies say in X-Forwarded-For. None means unknown, never a guess.

Only X-Forwarded-For is read: a proxy that sets one forwarding header usually passes the others through as the client sent them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")
_BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?")
_V4_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")
_LONGEST = 100  # of one entry; an address with zone and port is shorter
_HOPS = 32


def parse_address(text: str) -> Address | None:
    """Read an address as peers and proxies write it: with brackets, port, zone id or IPv4-mapped; None for anything else."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    found = _BRACKETED.fullmatch(text) or _V4_WITH_PORT.fullmatch(text)
    try:
        address = ip_address((found[1] if found else text).partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def parse_network(text: str) -> Network:
    """Read a proxy's address or CIDR network; an IPv4-mapped one is the IPv4 network it means. ValueError."""
    network = ip_network(text.strip(), strict=False)
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return IPv4Network((int(mapped or IPv4Address(0)), network.prefixlen - _MAPPED.prefixlen))
    return network


def client_address(peer: str | None, forwarded: Sequence[str], proxies: Sequence[Network]) -> str | None:
    """The client's address as text, or None when it is unknown.

    `forwarded` are the values of all X-Forwarded-For lines in order. They are read from the right, as long as the address that
    wrote an entry is a configured proxy. A proxy that says nothing, or nothing readable, leaves the client unknown.
    """
    address = parse_address(peer or "")
    if address is None or not _is_proxy(address, proxies):
        return str(address) if address else None
    entries = ",".join(forwarded).split(",")[-_HOPS:]
    for entry in reversed(entries):
        address = parse_address(entry)
        if address is None or not _is_proxy(address, proxies):
            break
    return str(address) if address else None


def network_of(ip: str | None) -> str:
    """The network that an address counts with: its /24 or /64; "unknown" for None."""
    address = parse_address(ip or "")
    if address is None:
        return "unknown"
    return str(ip_network((address, 24 if address.version == 4 else 64), strict=False))  # noqa: PLR2004  (the issue's prefixes)


def _is_proxy(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address in network for network in proxies)

"""Autonomous systems of addresses, from an optional database file in the MaxMind format."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import maxminddb

Lookup = Callable[[str], object]
"""The record of an address, None without one."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of an address."""

    asn: int | None = None
    place: str | None = None


class Networks:
    """Knows nothing without a database: unknown is no opinion."""

    def __init__(self, lookup: Lookup | None = None) -> None:
        self._lookup = lookup

    def origin(self, ip: str) -> Origin:
        """The autonomous system and country of a canonical address."""
        record = self._lookup(ip) if self._lookup else None
        if not isinstance(record, Mapping):
            return Origin()
        asn = record.get("autonomous_system_number")
        country = record.get("country")
        place = country.get("iso_code") if isinstance(country, Mapping) else None
        return Origin(asn if type(asn) is int else None, place if isinstance(place, str) else None)


def open_networks(path: str) -> Networks:
    """Read an mmdb file into memory; an empty path is no database. OSError, maxminddb.InvalidDatabaseError."""
    return Networks(maxminddb.open_database(path, maxminddb.MODE_MEMORY).get) if path else Networks()


@lru_cache(maxsize=4096)
def canonical(ip: str | None) -> str | None:
    """One spelling per address: IPv4-mapped ones as IPv4, no zone; None for what is no address."""
    try:
        address = ipaddress.ip_address((ip or "").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)

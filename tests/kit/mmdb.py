"""Writes a tiny database in the MaxMind DB format 2.0, so that the reader is tested with a real file."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Network, ip_network

_METADATA = b"\xab\xcd\xefMaxMind.com"
_POINTER_BITS = 24
_MAP, _UTF8, _UINT16, _UINT32, _UINT64, _ARRAY = 7, 2, 5, 6, 9, 11


def mmdb(networks: Mapping[str, Mapping[str, object]]) -> bytes:
    """The file of a tree over IPv6 space (IPv4 stands in its first 96 zeros) with one record per network."""
    nodes: list[list[int | None]] = [[None, None]]
    data = b""
    places: list[tuple[int, int, int]] = []
    for text, record in networks.items():
        node, bit = _leaf(nodes, _as_ipv6(text))
        places.append((node, bit, len(data)))
        data += _encode(record)
    count = len(nodes)
    for node, bit, offset in places:
        nodes[node][bit] = count + 16 + offset
    tree = b"".join((count if each is None else each).to_bytes(3, "big") for node in nodes for each in node)
    return tree + bytes(16) + data + _METADATA + _encode(_metadata(count))


def _as_ipv6(text: str) -> IPv6Network:
    found = ip_network(text)
    if isinstance(found, IPv6Network):
        return found
    return IPv6Network((int(found.network_address), found.prefixlen + 96))


def _leaf(nodes: list[list[int | None]], network: IPv6Network) -> tuple[int, int]:
    address, node = int(network.network_address), 0
    bits = [address >> (127 - nth) & 1 for nth in range(network.prefixlen)]
    for bit in bits[:-1]:
        following = nodes[node][bit]
        if following is None:
            nodes.append([None, None])
            following = nodes[node][bit] = len(nodes) - 1
        node = following
    return node, bits[-1]


def _metadata(count: int) -> Mapping[str, object]:
    return {
        "node_count": count,
        "record_size": _POINTER_BITS,
        "ip_version": 6,
        "database_type": "Test",
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1,
        "description": {"en": "made by a test"},
    }


def _encode(value: object) -> bytes:
    match value:
        case str():
            text = value.encode()
            return _control(_UTF8, len(text)) + text
        case int():
            number = value.to_bytes((value.bit_length() + 7) // 8, "big")
            return _control(_UINT32, len(number)) + number
        case list():
            return _control(_ARRAY, len(value)) + b"".join(map(_encode, value))
        case dict():
            return _control(_MAP, len(value)) + b"".join(_encode(key) + _encode(each) for key, each in value.items())
    raise TypeError


def _control(kind: int, size: int) -> bytes:
    extended = kind > 7
    head, rest = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([(0 if extended else kind) << 5 | head]) + (bytes([kind - 7]) if extended else b"") + rest

"""A memory as bytes and back, without loss. One byte of version, so that a new layout is never read as an old one."""

from __future__ import annotations

from functools import cache
from itertools import chain
from struct import Struct

from services.anomaly.scoring.memory import (
    DEVICES,
    NETWORKS,
    NO_TROUBLE,
    PENDING,
    PLACES,
    PROVIDERS,
    SESSIONS,
    Fixed,
    Memory,
    Pending,
    Session,
    Trouble,
)

VERSION = 1
_HEAD = Struct("<BHHIIhhH")
_TROUBLE = Struct("<IIIII")
_ENTRIES = ("HI", "HBHHB", "HBHHH", "HBhhH", "IIIHHHHHHH", "IIHHBhhhHHH")
_BOUNDS = (NETWORKS, PROVIDERS, DEVICES, PLACES, SESSIONS, PENDING)
_SIZES = tuple(Struct(f"<{entry}").size for entry in _ENTRIES)
_READERS = tuple(Struct(f"<{entry}") for entry in _ENTRIES)
_COUNTS_AT = _HEAD.size
_LISTS_AT = _HEAD.size + 1 + len(_ENTRIES) // 2
_TROUBLED = 0x80

LARGEST = _LISTS_AT + _TROUBLE.size + sum(bound * size for bound, size in zip(_BOUNDS, _SIZES, strict=True))
"""Bytes."""


@cache
def _whole(counts: tuple[int, ...]) -> Struct:
    """The layout of all lists together; there are few thousand that occur."""
    return Struct("<" + "".join(count * entry for count, entry in zip(counts, _ENTRIES, strict=True)))


def pack(memory: Memory) -> bytes:
    """At most `LARGEST` bytes."""
    lists = (memory.networks, memory.providers, memory.devices, memory.places, memory.sessions, memory.pending)
    networks, providers, devices, places, sessions, pending = counts = tuple([len(each) for each in lists])
    troubled = memory.trouble != NO_TROUBLE
    return b"".join(
        (
            _HEAD.pack(VERSION, memory.first, memory.seen, memory.second, *memory.fixed),
            bytes((networks << 4 | providers, devices << 4 | places, sessions << 4 | pending, _TROUBLED if troubled else 0)),
            _TROUBLE.pack(*memory.trouble) if troubled else b"",
            _whole(counts).pack(*chain.from_iterable(chain.from_iterable(lists))),
        )
    )


def unpack(packed: bytes) -> Memory:
    """ValueError: another version's, or not whole. Empty: nothing is known yet."""
    if not packed:
        return Memory()
    if packed[0] != VERSION:
        raise ValueError("the remembered state has another version")
    one, two, three, flags = packed[_COUNTS_AT:_LISTS_AT]
    counts = (one >> 4, one & 15, two >> 4, two & 15, three >> 4, three & 15)
    at = _LISTS_AT
    trouble = NO_TROUBLE
    if flags & _TROUBLED:
        trouble = Trouble._make(_TROUBLE.unpack_from(packed, at))
        at += _TROUBLE.size
    cut: list[bytes] = []
    for count, size in zip(counts, _SIZES, strict=True):
        cut.append(packed[at : at + count * size])
        at += count * size
    if at != len(packed):
        raise ValueError("the remembered state is not whole")
    _, first, seen, second, *fixed = _HEAD.unpack_from(packed)
    networks, providers, devices, places, sessions, pending = _READERS
    return Memory(
        first,
        seen,
        second,
        Fixed._make(fixed),
        trouble,
        list(networks.iter_unpack(cut[0])),
        list(providers.iter_unpack(cut[1])),
        list(devices.iter_unpack(cut[2])),
        list(places.iter_unpack(cut[3])),
        [Session._make(each) for each in sessions.iter_unpack(cut[4])],
        [Pending._make(each) for each in pending.iter_unpack(cut[5])],
    )

"""A set of whole numbers that costs 2-3 bytes a member where they are dense, instead of 66 in a `set`.

Numbers share a chunk when they agree in all but their low 16 bits: a sorted array of those bits, or a bitmap once that is
smaller. This is the layout of a 64-bit Roaring bitmap (https://github.com/RoaringBitmap/RoaringFormatSpec), without run
containers, and `to_bytes` writes its portable format, so that every language has a reader.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import lt
from typing import TypeAlias

from rescind.errors import InvalidFeed

_ARRAY_LIMIT = 4096  # the most members of an array chunk; beyond, a bitmap is smaller
_BITMAP_BYTES = 8192
_COOKIE = 12346  # a 32-bit Roaring bitmap without run containers
_LOW = 0xFFFF
_LARGEST = 2**63 - 1

Chunk: TypeAlias = "array[int] | bytearray"


class NumberSet:
    """Whole numbers from 0 to 2**63 - 1. One writer at a time; readers need no lock."""

    __slots__ = ("_chunks", "_counts")

    def __init__(self) -> None:
        self._chunks: dict[int, Chunk] = {}
        self._counts: dict[int, int] = {}

    def __contains__(self, number: int) -> bool:
        chunk = self._chunks.get(number >> 16)
        if chunk is None:
            return False
        low = number & _LOW
        if type(chunk) is bytearray:
            return chunk[low >> 3] >> (low & 7) & 1 == 1
        at = bisect_left(chunk, low)
        return at < len(chunk) and chunk[at] == low

    def __len__(self) -> int:
        return sum(self._counts.values())

    def __iter__(self) -> Iterator[int]:
        """Ascending."""
        for high in sorted(self._chunks):
            for low in _members(self._chunks[high]):
                yield high << 16 | low

    def add(self, number: int) -> None:
        """Put a number in; again is the same as once."""
        if not 0 <= number <= _LARGEST:
            raise ValueError("a number is between 0 and 2**63 - 1")
        if number in self:
            return
        high, low = number >> 16, number & _LOW
        chunk = self._chunks.get(high)
        if chunk is None:
            self._chunks[high] = array("H", (low,))
        elif type(chunk) is bytearray:
            chunk[low >> 3] |= 1 << (low & 7)
        else:
            chunk.insert(bisect_left(chunk, low), low)
            if len(chunk) > _ARRAY_LIMIT:
                self._chunks[high] = _bitmap(chunk)
        self._counts[high] = self._counts.get(high, 0) + 1

    def discard(self, number: int) -> None:
        """Take a number out if it is in."""
        if number not in self:
            return
        high, low = number >> 16, number & _LOW
        chunk = self._chunks[high]
        if type(chunk) is bytearray:
            chunk[low >> 3] &= ~(1 << (low & 7))
            if self._counts[high] <= _ARRAY_LIMIT + 1:
                self._chunks[high] = array("H", _members(chunk))
        else:
            chunk.pop(bisect_left(chunk, low))
        self._counts[high] -= 1
        if not self._counts[high]:
            del self._chunks[high], self._counts[high]

    def to_bytes(self) -> bytes:
        """Write the portable format of a 64-bit Roaring bitmap; equal sets give equal bytes."""
        buckets = [(high, list(chunks)) for high, chunks in groupby(sorted(self._chunks), key=lambda chunk: chunk >> 16)]
        parts = [struct.pack("<Q", len(buckets))]
        for high, keys in buckets:
            counts = [self._counts[key] for key in keys]
            parts.append(struct.pack("<III", high, _COOKIE, len(keys)))
            parts.extend(struct.pack("<HH", key & _LOW, count - 1) for key, count in zip(keys, counts, strict=True))
            offset = 8 + 8 * len(keys)
            for count in counts:
                parts.append(struct.pack("<I", offset))
                offset += _size(count)
            parts.extend(_to_little_endian(self._chunks[key]) for key in keys)
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> NumberSet:
        """Read what `to_bytes` wrote; InvalidFeed for anything else, also for the same set written in another way."""
        numbers = cls()
        try:
            numbers._read(memoryview(data))
        except (struct.error, ValueError) as error:
            raise InvalidFeed("a set of session numbers is broken") from error
        if numbers.to_bytes() != data:
            raise InvalidFeed("a set of session numbers is not in its canonical form")
        return numbers

    def _read(self, data: memoryview) -> None:
        (buckets,) = struct.unpack_from("<Q", data)
        at = 8
        for _ in range(buckets):
            high, _, size = struct.unpack_from("<III", data, at)
            at += 12
            heads = list(struct.iter_unpack("<HH", data[at : at + 4 * size]))
            at += 8 * size
            for key, less_one in heads:
                length = _size(less_one + 1)
                self._put(high << 16 | key, data[at : at + length], bitmap=less_one >= _ARRAY_LIMIT)
                at += length

    def _put(self, high: int, body: memoryview, *, bitmap: bool) -> None:
        """Take a chunk as it was written."""
        if bitmap:
            if len(body) != _BITMAP_BYTES:
                raise ValueError("cut off")
            self._chunks[high] = bytearray(body)
            self._counts[high] = int.from_bytes(body, "little").bit_count()
            return
        chunk = array("H")
        chunk.frombytes(body)
        if sys.byteorder == "big":
            chunk.byteswap()
        if not all(map(lt, chunk, chunk[1:])):
            raise ValueError("not ascending")
        self._chunks[high] = chunk
        self._counts[high] = len(chunk)


def _size(count: int) -> int:
    """Give the bytes that a chunk of so many members takes."""
    return 2 * count if count <= _ARRAY_LIMIT else _BITMAP_BYTES


def _bitmap(lows: Iterable[int]) -> bytearray:
    bitmap = bytearray(_BITMAP_BYTES)
    for low in lows:
        bitmap[low >> 3] |= 1 << (low & 7)
    return bitmap


def _members(chunk: Chunk) -> Iterable[int]:
    if type(chunk) is bytearray:
        return (at << 3 | bit for at, byte in enumerate(chunk) if byte for bit in range(8) if byte >> bit & 1)
    return chunk


def _to_little_endian(chunk: Chunk) -> bytes:
    if isinstance(chunk, bytearray):
        return bytes(chunk)
    if sys.byteorder == "big":
        chunk = chunk[:]
        chunk.byteswap()
    return chunk.tobytes()

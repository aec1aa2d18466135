from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from rescind.errors import InvalidFeed
from rescind.numbers import NumberSet


def of(*numbers: int) -> NumberSet:
    found = NumberSet()
    for number in numbers:
        found.add(number)
    return found


def test_numbers_go_in_and_out() -> None:
    numbers = of(3, 70_000, 3, 2**63 - 1)
    assert list(numbers) == [3, 70_000, 2**63 - 1]
    assert len(numbers) == 3
    numbers.discard(70_000)
    numbers.discard(70_000)
    assert 70_000 not in numbers
    assert 3 in numbers
    assert -1 not in numbers


@pytest.mark.parametrize("number", [-1, 2**63])
def test_what_is_no_session_number_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="between"):
        NumberSet().add(number)


def test_a_crowded_chunk_becomes_a_bitmap_and_back() -> None:
    numbers = of(*range(0, 8194, 2))
    as_bitmap = len(numbers.to_bytes())
    assert as_bitmap > 8192
    assert 8192 in numbers
    assert 8191 not in numbers
    numbers.discard(0)
    assert list(numbers) == list(range(2, 8194, 2))
    assert len(numbers.to_bytes()) == as_bitmap  # 4096 members: array and bitmap are of one size
    assert numbers.to_bytes() == of(*range(2, 8194, 2)).to_bytes()
    numbers.discard(2)
    assert len(numbers.to_bytes()) == as_bitmap - 2


def test_the_bytes_are_a_portable_roaring_bitmap() -> None:
    assert of(1, 2, 65_536, 2**32 + 5).to_bytes() == bytes.fromhex(
        "0200000000000000"  # two buckets
        "00000000"  # high 32 bits
        "3a30000002000000"  # cookie, two containers
        "0000010001000000"  # keys and cardinalities less one
        "18000000"
        "1c000000"  # where the containers are
        "010002000000"
        "01000000"
        "3a30000001000000"
        "00000000"
        "10000000"
        "0500"
    )


@pytest.mark.parametrize("numbers", [(), (0,), (5, 65_535, 65_536, 2**40, 2**63 - 1), range(4096), range(4097), range(100_000)])
def test_bytes_come_back_as_the_same_numbers(numbers: Sequence[int]) -> None:
    written = of(*numbers)
    read = NumberSet.from_bytes(written.to_bytes())
    assert list(read) == list(numbers)
    assert len(read) == len(numbers)
    assert read.to_bytes() == written.to_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        of(1).to_bytes()[:-1],
        of(1).to_bytes()[:20],
        of(1, 2).to_bytes()[:-4] + b"\x02\x00\x01\x00",  # not ascending
        of(1, 2).to_bytes()[:-4] + b"\x02\x00\x02\x00",  # twice
        of(1).to_bytes() + b"\x00",
        of(*range(5000)).to_bytes()[:-1],
        b"\xff" * 64,
        (2**63).to_bytes(8, "little"),
    ],
)
def test_broken_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidFeed):
        NumberSet.from_bytes(data)


def test_dense_numbers_cost_two_bytes_each_not_sixty() -> None:
    numbers = of(*range(0, 3_000_000, 30))
    lean = len(numbers.to_bytes())
    plain = sys.getsizeof(set(numbers)) + sum(sys.getsizeof(number) for number in numbers)
    assert lean < 2.1 * len(numbers)
    assert plain > 20 * lean

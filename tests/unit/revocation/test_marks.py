from __future__ import annotations

import base64

import pytest

from rescind.position import Position
from services.revocation.decisions.marks import Marks

MARKS = Marks(b"k" * 32)
HASH = bytes(range(32))
AT = Position(1, 44)


def test_a_mark_gives_back_the_hash() -> None:
    assert MARKS.read(AT, MARKS.make(AT, HASH)) == HASH


@pytest.mark.parametrize("position", [Position(1, 45), Position(2, 44), Position(14, 4)])
def test_a_mark_belongs_to_its_position(position: Position) -> None:
    assert MARKS.read(position, MARKS.make(AT, HASH)) is None


def test_a_mark_under_another_key_is_not_ours() -> None:
    assert Marks(b"x" * 32).read(AT, MARKS.make(AT, HASH)) is None


def test_every_changed_bit_is_seen() -> None:
    data = base64.urlsafe_b64decode(MARKS.make(AT, HASH))
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        assert MARKS.read(AT, base64.urlsafe_b64encode(changed).decode()) is None


@pytest.mark.parametrize("rubbish", ["", "x", "é", "=" * 64, "A" * 64, "A" * 63 + " ", "\x00"])
def test_rubbish_is_not_ours(rubbish: str) -> None:
    assert MARKS.read(AT, rubbish) is None

from __future__ import annotations

import pytest
from kit.acts import Life

from services.anomaly.scoring.packing import LARGEST, pack, unpack


def test_a_subject_is_small() -> None:
    assert LARGEST <= 600


def test_nothing_is_nothing() -> None:
    assert unpack(b"").seen == 0


def test_what_is_packed_comes_back() -> None:
    life = Life()
    life.settle(3)
    packed = life.scorer.states["ann"]
    assert pack(unpack(packed)) == packed


def test_another_layout_is_refused() -> None:
    packed = pack(unpack(b""))
    with pytest.raises(ValueError, match="version"):
        unpack(b"\xff" + packed[1:])


def test_a_cut_is_refused() -> None:
    life = Life()
    life.settle(3)
    with pytest.raises(ValueError, match="whole"):
        unpack(life.scorer.states["ann"][:-1])

from __future__ import annotations

import pytest

from services.anomaly.scoring.acts import Net
from services.anomaly.scoring.distance import kilometres
from services.anomaly.scoring.memory import Fixed, Memory, Session, marked
from services.anomaly.scoring.movement import comes_back, next_interval, pause, too_soon, travel_km
from services.anomaly.scoring.traits import CLASS_NUMBERS, Spot, Traits, short_net

NOW = 1_760_000_000
BERLIN, MUNICH, SYDNEY = (5250, 1340), (4810, 1160), (-3390, 15120)


def test_distances() -> None:
    assert kilometres(*BERLIN, *MUNICH) == pytest.approx(504, abs=5)
    assert kilometres(*BERLIN, *SYDNEY) == pytest.approx(16_090, abs=60)
    assert kilometres(*BERLIN, *BERLIN) == 0


@pytest.mark.parametrize(
    ("where", "acc", "hours", "impossible"),
    [
        (SYDNEY, 50, 1, True),
        (SYDNEY, 50, 30, False),  # a flight
        (MUNICH, 50, 0, False),  # not beyond the margin
        (SYDNEY, 16_000, 1, False),  # the error radius says that nobody knows
        (SYDNEY, 50, -1, True),  # a late event
    ],
)
def test_travel(where: tuple[int, int], acc: int, hours: int, impossible: bool) -> None:
    memory = Memory(fixed=Fixed(NOW, *BERLIN, 50))
    assert bool(travel_km(memory, Spot(*where, acc), NOW + hours * 3600)) is impossible


def test_travel_needs_two_fixed_lines() -> None:
    assert travel_km(Memory(), Spot(*SYDNEY, 50), NOW) == 0
    assert travel_km(Memory(fixed=Fixed(NOW, *BERLIN, 50)), None, NOW) == 0


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(0, "2min"), (119, "2min"), (120, "10min"), (3600, "2h"), (86_399, "1d"), (86_400, "14d"), (14 * 86_400, "dormant")],
)
def test_pauses(seconds: int, name: str) -> None:
    assert pause(seconds) == name


def session(**changed: int) -> Session:
    word = marked(0xAAAAAA, CLASS_NUMBERS[Net.HOME], 0, moved=False)
    whole = Session(NOW, 1, word, asn=10, device=1, unit=0, ver=1, before=short_net(0xBBBBBB), stay=200, interval=900)
    return whole._replace(**changed)


def seen(net: int = 0xBBBBBB, asn: int = 20, cls: Net = Net.HOME) -> Traits:
    return Traits(net, asn, 0, cls, None, 1, 0, 1, 0, scripted=False)


def test_two_fixed_lines_in_turn() -> None:
    assert comes_back(session(), seen(), NOW + 300)


@pytest.mark.parametrize(
    ("act", "second", "before"),
    [
        (seen(net=0xCCCCCC), NOW + 300, 200),  # a third network
        (seen(net=0xAAAAAA), NOW + 300, 200),  # it stays
        (seen(asn=10), NOW + 300, 200),  # one provider's two networks
        (seen(cls=Net.MOBILE), NOW + 300, 200),  # a phone between Wi-Fi and its carrier
        (seen(), NOW + 500, 200),  # too long ago
    ],
)
def test_control_no_alternation(act: Traits, second: int, before: int) -> None:
    assert not comes_back(session(stay=before), act, second)


def test_a_cadence_is_learned_and_what_comes_before_it_is_too_soon() -> None:
    interval = 0
    for gap in (5000, 900, 900, 900, 7000, 900, 900, 900, 900):
        interval = next_interval(interval, gap)
    assert 850 < interval < 1300
    assert too_soon(session(interval=900), NOW + 300)
    assert not too_soon(session(interval=900), NOW + 880)
    assert not too_soon(session(interval=0), NOW + 1)


def test_a_night_is_no_cadence() -> None:
    assert next_interval(900, 8 * 3600) == 900

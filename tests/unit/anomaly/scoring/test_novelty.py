from __future__ import annotations

from dataclasses import replace

import pytest
from kit.acts import ABROAD, BEGIN, HOME, HOSTING, MOBILE

from services.anomaly.scoring.acts import Act, Net
from services.anomaly.scoring.learning import learn
from services.anomaly.scoring.memory import Memory, Session, marked
from services.anomaly.scoring.novelty import (
    Level,
    change,
    device_at_sign_in,
    device_in_session,
    network_class,
    network_level,
    place,
)
from services.anomaly.scoring.traits import traits

SECOND = BEGIN // 1000
TODAY = SECOND // 86_400
EXIT = replace(HOME, ip="185.65.1.1", asn=39351, cc="SE", cls=Net.VPN)
RELAY = replace(HOME, ip="172.225.1.1", asn=36183, cc="DE", cls=Net.RELAY)


def knowing(*acts: Act) -> Memory:
    memory = Memory()
    for act in acts:
        learn(memory, traits(act), SECOND)
    return memory


@pytest.mark.parametrize(
    ("known", "act", "level"),
    [
        ((HOME,), HOME, Level.KNOWN),
        ((HOME,), replace(HOME, ip="81.2.69.200"), Level.KNOWN),
        ((HOME,), replace(HOME, ip="81.2.99.1"), Level.SAME_PROVIDER),
        ((HOME,), MOBILE, Level.NEW_PROVIDER),
        ((HOME,), HOSTING, Level.NEW_PROVIDER),
        ((HOME,), ABROAD, Level.NEW_COUNTRY),
        ((HOME,), replace(HOME, ip="81.3.1.1", cc="FR"), Level.NEW_COUNTRY),  # one provider, two countries
        ((HOME,), EXIT, Level.NEW_PROVIDER),  # a VPN's country says nothing
        ((HOME, EXIT), replace(EXIT, ip="185.65.9.1", cc="JP"), Level.SAME_PROVIDER),
        ((HOME,), RELAY, Level.NEW_PROVIDER),
        ((HOME, RELAY), replace(RELAY, ip="104.28.1.1", asn=13335), Level.KNOWN),  # the relay's other networks
        ((HOME, RELAY), replace(RELAY, ip="104.28.1.1", asn=13335, cc="BR"), Level.NEW_COUNTRY),
        ((HOME,), replace(HOME, ip="10.0.0.1", asn=None, cc=None), None),
        ((HOME,), replace(HOME, ip="99.1.1.1", asn=None), None),  # some network of the same country
        ((), HOME, None),
    ],
)
def test_levels_of_a_network(known: tuple[Act, ...], act: Act, level: Level | None) -> None:
    assert network_level(knowing(*known), traits(act)) == level


def test_a_class_is_usual_once_it_was_used() -> None:
    assert network_class(knowing(HOME), traits(EXIT)) == "vpn"
    assert network_class(knowing(HOME, EXIT), traits(EXIT)) == "vpn_usual"
    assert network_class(knowing(HOME), traits(replace(HOME, cls=None))) is None


@pytest.mark.parametrize(
    ("act", "where"),
    [
        (HOME, "near"),
        (replace(HOME, lat=51.5), "near"),  # 111 km, and the radii of both are 50
        (replace(HOME, lat=48.1, lon=11.6), "far"),
        (replace(HOME, lat=48.1, lon=11.6, acc=500), "near"),  # nobody knows
        (replace(HOME, lat=48.1, lon=11.6, acc=None), "near"),
        (MOBILE, None),
    ],
)
def test_places(act: Act, where: str | None) -> None:
    assert place(knowing(HOME), traits(act)) == where


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ({}, "known"),
        ({"ver": 133}, "upgrade"),
        ({"ver": 140}, "leap"),
        ({"ver": 128}, "downgrade"),
        ({"ver": None}, "known"),
        ({"br": "Firefox"}, "other_browser"),
        ({"os": "Linux"}, "other_system"),
        ({"dev": "another"}, "other_unit"),
        ({"dev": None}, "known"),
        ({"br": None, "os": None}, None),
        ({"ua": "python-requests/2.32"}, "script"),
    ],
)
def test_devices_at_sign_in(changed: dict[str, object], value: str | None) -> None:
    memory = knowing(replace(HOME, dev="mine"))
    act = replace(HOME, **{"dev": "mine", **changed})  # type: ignore[arg-type]  # one dict of several types
    assert device_at_sign_in(memory, traits(act), TODAY) == value


def test_a_browser_that_rested_may_have_moved_on() -> None:
    seen = traits(replace(HOME, ver=140))
    assert device_at_sign_in(knowing(HOME), seen, TODAY) == "leap"
    assert device_at_sign_in(knowing(HOME), seen, TODAY + 100) == "upgrade"


def test_two_computers_of_one_kind_are_both_known() -> None:
    memory = knowing(HOME, replace(HOME, ver=128))
    assert {device_at_sign_in(memory, traits(replace(HOME, ver=ver)), TODAY) for ver in (128, 131)} == {"known"}
    assert device_at_sign_in(memory, traits(replace(HOME, ver=129)), TODAY) == "upgrade"


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ({}, "same"),
        ({"ver": 140}, "upgrade"),
        ({"ver": 130}, "downgrade"),
        ({"br": "Firefox"}, "other_browser"),
        ({"os": "Linux"}, "other_system"),
        ({"dev": "another"}, "other_unit"),
        ({"dev": None}, "same"),
        ({"os": None}, None),
        ({"ua": "curl/8.5"}, "script"),
    ],
)
def test_devices_in_a_session(changed: dict[str, object], value: str | None) -> None:
    first = traits(replace(HOME, dev="mine"))
    session = Session(SECOND, 1, marked(first.net, 1, 0, moved=False), first.asn, first.device, first.unit, first.ver, 0, 0, 0)
    act = replace(HOME, **{"dev": "mine", **changed})  # type: ignore[arg-type]  # one dict of several types
    assert device_in_session(session, traits(act)) == value


def test_who_seldom_changes_networks_is_told_from_who_often_does() -> None:
    settled, wandering = Memory(), Memory()
    for turn in range(60):
        learn(settled, traits(HOME), SECOND)
        learn(wandering, traits(replace(HOME, ip=f"81.2.{turn}.1")), SECOND)
    seen = traits(replace(HOME, ip="81.9.9.9"))
    assert change(settled, seen, Level.SAME_PROVIDER) == "5%"
    assert change(wandering, seen, Level.SAME_PROVIDER) == "more"
    assert change(settled, traits(ABROAD), Level.NEW_COUNTRY) == "one"

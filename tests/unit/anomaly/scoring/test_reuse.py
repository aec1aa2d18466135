"""A rotated refresh token comes again: who raced with themselves, and who has a second holder."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kit.acts import HOME, HOSTING, MINUTE, MOBILE, Life

from services.anomaly.scoring.acts import Act, Kind
from services.anomaly.scoring.policy import Action


def at_home_and_mobile() -> Life:
    life = Life()
    life.settle()
    life.act(Kind.REFRESH, MOBILE)
    life.act(Kind.PASSED, after=1000, ref=f"e{life.number}")
    life.act(Kind.REFRESH)
    return life


@pytest.mark.parametrize(
    ("act", "after", "why"),
    [
        (HOME, 300, "race"),
        (HOME, 59_000, "race"),
        (HOME, 2 * MINUTE, "late"),
        (MOBILE, 3000, "race"),  # the answer was lost between two networks
        (MOBILE, 40_000, "late"),
        (HOSTING, 300, "other_network"),
        (replace(HOME, os="Linux"), 300, "other_device"),
        (replace(HOME, ver=130), 300, "other_device"),
        (replace(HOME, sid="s-old"), 300, "older"),
    ],
)
def test_races_and_thieves(act: Act, after: int, why: str) -> None:
    judgement = at_home_and_mobile().act(Kind.REUSE, act, after)
    assert [(each.name, each.value) for each in judgement.reasons] == [("reuse", why)]
    assert judgement.action is (Action.NONE if why == "race" else Action.REVOKE_FAMILY)


def test_the_owner_of_a_token_that_was_rotated_elsewhere_is_no_race() -> None:
    life = at_home_and_mobile()
    life.act(Kind.REFRESH, replace(HOME, ip="81.3.1.1", asn=6805), 20 * MINUTE)
    assert life.act(Kind.REUSE, MOBILE, 20_000).reasons[0].value == "after_a_move"


def test_two_sessions_in_an_hour_are_the_subject() -> None:
    life = at_home_and_mobile()
    life.act(Kind.SIGN_IN, sid="s2")
    life.act(Kind.REFRESH, sid="s2")
    assert life.act(Kind.REUSE, HOSTING, 1000).action is Action.REVOKE_FAMILY
    assert life.act(Kind.REUSE, HOSTING, 1000, sid="s2").action is Action.REVOKE_SUBJECT


def test_control_two_sessions_on_two_days_are_two_families() -> None:
    life = at_home_and_mobile()
    life.act(Kind.SIGN_IN, sid="s2")
    life.act(Kind.REUSE, HOSTING, 1000)
    assert life.act(Kind.REUSE, HOSTING, 24 * 60 * MINUTE, sid="s2").action is Action.REVOKE_FAMILY


def test_what_is_ended_is_not_ended_again() -> None:
    life = at_home_and_mobile()
    life.act(Kind.REUSE, HOSTING, 1000)
    assert life.act(Kind.REUSE, HOSTING, 1000).action is Action.NONE


def test_somebody_unknown_is_not_ended() -> None:
    assert Life().act(Kind.REUSE).action is Action.ALERT

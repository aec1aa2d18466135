"""Stories of one person, judged by the shipped policy."""

from __future__ import annotations

from dataclasses import replace

from kit.acts import ABROAD, DAY, HOME, HOSTING, MINUTE, MOBILE, Life

from services.anomaly.scoring.acts import Kind, Net
from services.anomaly.scoring.packing import unpack
from services.anomaly.scoring.policy import Action, Policy, decide
from services.anomaly.scoring.sentences import explained

STOPS = {Action.STEP_UP, Action.REVOKE_SESSION, Action.REVOKE_FAMILY, Action.REVOKE_SUBJECT}


def settled() -> Life:
    life = Life()
    life.settle()
    return life


def test_the_first_sign_in_is_never_stopped() -> None:
    assert Life().act(Kind.SIGN_IN, replace(ABROAD, cls=Net.TOR)).action is Action.NONE


def test_habits_are_left_alone() -> None:
    life = settled()
    assert life.act(Kind.REFRESH).action is Action.NONE
    assert life.act(Kind.SIGN_IN, sid="s2").action is Action.NONE
    assert life.act(Kind.SIGN_IN, replace(HOME, ver=132), sid="s3").action is Action.NONE  # the browser was updated


def test_a_stolen_token_used_from_a_hosting_network_is_stopped_and_explained() -> None:
    life = settled()
    life.act(Kind.REFRESH)
    judgement = life.act(Kind.REFRESH, HOSTING, 4 * MINUTE)
    assert judgement.action in STOPS
    words = explained(HOSTING, judgement.reasons)
    assert "For the first time on AS14061 (hosting)" in words
    assert "within 10 minutes of the last use" in words


def test_an_impossible_journey_is_stopped_and_says_how_far() -> None:
    life = settled()
    life.act(Kind.REFRESH)
    judgement = life.act(Kind.SIGN_IN, ABROAD, 30 * MINUTE, sid="s2")
    assert judgement.action in STOPS
    assert "km from where the subject had just been" in explained(ABROAD, judgement.reasons)


def test_the_score_is_the_sum_of_its_reasons() -> None:
    judgement = settled().act(Kind.REFRESH, HOSTING, MINUTE)
    assert judgement.score == round(sum(each.llr for each in judgement.reasons), 3)


def test_a_passed_step_up_is_learned() -> None:
    life = settled()
    assert life.act(Kind.SIGN_IN, ABROAD, DAY, sid="s2").action is Action.STEP_UP
    life.act(Kind.PASSED, ABROAD, 1000, sid="s2", ref=f"e{life.number}")
    assert life.act(Kind.REFRESH, ABROAD, sid="s2").action is Action.NONE
    assert life.act(Kind.SIGN_IN, ABROAD, DAY, sid="s3").action is Action.NONE


def test_control_what_was_not_passed_is_not_learned() -> None:
    life = settled()
    life.act(Kind.SIGN_IN, ABROAD, DAY, sid="s2")
    assert life.act(Kind.SIGN_IN, ABROAD, DAY, sid="s3").action is Action.STEP_UP


def test_a_failed_step_up_ends_the_session_and_is_held_against_the_network() -> None:
    life = settled()
    first = life.act(Kind.SIGN_IN, ABROAD, DAY, sid="s2")
    life.act(Kind.FAILED, ABROAD, 1000, sid="s2", ref=f"e{life.number}")
    again = life.act(Kind.SIGN_IN, ABROAD, DAY, sid="s3")
    assert again.score > first.score
    assert "refused" in {each.name for each in again.reasons}


def test_an_answer_to_nothing_changes_nothing() -> None:
    life = settled()
    before = life.scorer.states["ann"]
    life.act(Kind.PASSED, ABROAD, 1000, ref="e-unknown")
    assert life.scorer.states["ann"] == before


def test_a_person_who_is_new_may_get_to_know_their_own_networks() -> None:
    life = Life()
    life.act(Kind.SIGN_IN)
    assert life.act(Kind.REFRESH, MOBILE).action is Action.NONE
    assert life.act(Kind.SIGN_IN, replace(MOBILE, os="Android", br="Chrome Mobile"), sid="s2").action is Action.NONE


def test_control_a_person_with_habits_on_an_unknown_device_and_provider_is_asked() -> None:
    life = settled()
    far = replace(HOME, ip="91.10.1.1", asn=6830, os="Linux", br="Firefox", ver=128)
    assert life.act(Kind.SIGN_IN, far, DAY, sid="s2").action is Action.STEP_UP


def test_what_is_unknown_is_no_opinion() -> None:
    life = settled()
    silent = replace(
        HOME, ip=None, asn=None, cc=None, cls=None, lat=None, lon=None, acc=None, ua=None, br=None, ver=None, os=None
    )
    assert life.act(Kind.REFRESH, silent).action is Action.NONE
    assert life.act(Kind.REFRESH, replace(silent, ip="10.1.2.3")).action is Action.NONE
    assert life.act(Kind.SIGN_IN, silent, sid="s2").action is Action.NONE


def test_an_unknown_refresh_in_between_does_not_cover_the_tracks() -> None:
    life = settled()
    life.act(Kind.REFRESH, replace(HOME, ip=None, asn=None, cc=None, cls=None, os=None, br=None), MINUTE)
    judgement = life.act(Kind.REFRESH, replace(HOSTING, os="Linux"), MINUTE)
    assert {("switch", "other_system"), ("class", "host")} <= {(each.name, each.value) for each in judgement.reasons}
    assert judgement.action in STOPS


def test_a_sign_in_is_asked_but_never_ended() -> None:
    life = settled()
    worst = replace(ABROAD, cls=Net.TOR, ua="python-requests/2.32", os="Other", br="Python Requests")
    for number in range(40):
        life.act(Kind.FAILURE, worst, 1000, sub=f"other{number}", sid="")
    judgement = life.act(Kind.SIGN_IN, worst, 1000, sid="s2")
    assert judgement.score > Policy().revoke_session
    assert judgement.action is Action.STEP_UP


def test_a_session_that_goes_on_elsewhere_on_something_else_is_ended() -> None:
    life = settled()
    judgement = life.act(Kind.REFRESH, replace(HOSTING, os="Linux", br="Firefox"), 4 * MINUTE)
    assert judgement.action is Action.REVOKE_SESSION


def test_thresholds() -> None:
    policy = Policy(alert=1, step_up=2, revoke_session=3)
    assert [decide(policy, score) for score in (0.9, 1, 2, 3)] == [
        Action.NONE,
        Action.ALERT,
        Action.STEP_UP,
        Action.REVOKE_SESSION,
    ]


def test_a_delivery_that_comes_twice_counts_once() -> None:
    life = settled()
    act = replace(HOME, eid="twice", ts=life.now)
    first = life.scorer.judge(act)
    seen = unpack(life.scorer.states["ann"]).seen
    assert life.scorer.judge(act) is first
    assert unpack(life.scorer.states["ann"]).seen == seen

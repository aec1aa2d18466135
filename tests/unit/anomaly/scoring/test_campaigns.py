from __future__ import annotations

from dataclasses import replace

from kit.acts import HOME, HOSTING, Life

from services.anomaly.scoring.acts import Act, Kind
from services.anomaly.scoring.campaigns import Watcher, source_failures, wave_failures
from services.anomaly.scoring.traits import traits

NOW = 1_760_000_000


def watched(failed: int, passed: int, where: Act = HOSTING, spread: bool = False) -> tuple[int, int]:
    """What a sign-in sees after so many others failed and got in: (from its network, with its user agent)."""
    watcher = Watcher()
    for number in range(failed + passed):
        kind = Kind.FAILURE if number < failed else Kind.SIGN_IN
        act = replace(where, ip=f"165.22.{number}.1") if spread else where
        watcher.watch(kind, traits(act), number + 1, NOW + number)
    campaign = watcher.watch(Kind.SIGN_IN, traits(where), 10_000, NOW + failed + passed)
    return source_failures(campaign, where.cls), wave_failures(campaign)


def test_stuffing_from_one_network_is_seen() -> None:
    assert watched(failed=30, passed=1)[0] == 30


def test_spraying_from_many_is_seen_by_its_user_agent() -> None:
    assert watched(failed=30, passed=1, spread=True) == (0, 30)


def test_control_an_office_with_typos_is_no_campaign() -> None:
    assert watched(failed=8, passed=40, where=HOME) == (0, 0)


def test_control_one_who_forgot_the_password_is_no_campaign() -> None:
    watcher = Watcher()
    for second in range(30):
        watcher.watch(Kind.FAILURE, traits(HOME), 1, NOW + second)
    assert watcher.watch(Kind.SIGN_IN, traits(HOME), 2, NOW + 40).net_failed == 1


def test_what_is_long_ago_is_forgotten() -> None:
    watcher = Watcher()
    for number in range(30):
        watcher.watch(Kind.FAILURE, traits(HOSTING), number, NOW)
    assert watcher.watch(Kind.SIGN_IN, traits(HOSTING), 99, NOW + 7 * 3600).net_failed == 0


def test_a_sign_in_out_of_a_wave_is_stopped_and_says_why() -> None:
    life = Life()
    life.settle()
    for number in range(30):
        life.act(Kind.FAILURE, HOSTING, 1000, sub=f"other{number}", sid="")
    judgement = life.act(Kind.SIGN_IN, HOSTING, 1000, sid="x")
    assert {"campaign", "wave"} <= {each.name for each in judgement.reasons}
    assert judgement.action != "none"


def test_names_that_do_not_exist_leave_no_state() -> None:
    life = Life()
    life.act(Kind.FAILURE, HOSTING, sub="nobody", sid="")
    assert not life.scorer.states

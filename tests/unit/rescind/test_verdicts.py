from __future__ import annotations

import pytest
from kit.tokens import NOW, accepted

from rescind.verdicts import ALWAYS, Cut, Verdict, fold_cuts


@pytest.mark.parametrize(
    ("cut", "covered"),
    [
        (Cut(), False),
        (Cut(sn=6), False),
        (Cut(sn=7), True),
        (Cut(sn=9, except_sn=7), False),
        (Cut(sn=9, except_sn=8), True),
        (Cut(auth_time=NOW - 101), False),
        (Cut(auth_time=NOW - 100), True),
        (Cut(sn=9, except_sn=7, auth_time=NOW - 100), True),
        (ALWAYS, True),
    ],
)
def test_a_cut_covers_what_began_up_to_it(cut: Cut, covered: bool) -> None:
    assert cut.covers(accepted(sn=7, auth_time=NOW - 100)) is covered


def test_a_token_without_a_sign_in_is_judged_by_its_issue() -> None:
    assert Cut(auth_time=NOW).covers(accepted(sn=-1, auth_time=-1, iat=NOW))
    assert not Cut(auth_time=NOW - 1).covers(accepted(sn=-1, auth_time=-1, iat=NOW))


def test_a_fresh_token_of_an_old_sign_in_does_not_slip_through() -> None:
    assert Cut(auth_time=NOW - 50).covers(accepted(auth_time=NOW - 100, iat=NOW))


def test_a_session_without_a_number_is_not_covered_by_numbers() -> None:
    assert not Cut(sn=100).covers(accepted(sn=-1))


@pytest.mark.parametrize(
    ("cuts", "folded"),
    [
        ([], Cut()),
        ([Cut(sn=5), Cut(sn=9)], Cut(sn=9)),
        ([Cut(sn=9, except_sn=7), Cut(sn=5)], Cut(sn=9, except_sn=7)),
        ([Cut(sn=9, except_sn=7), Cut(sn=7)], Cut(sn=9)),
        ([Cut(sn=9, except_sn=7), Cut(sn=8, except_sn=7)], Cut(sn=9, except_sn=7)),
        ([Cut(sn=9, except_sn=7), Cut(sn=8, except_sn=3)], Cut(sn=9)),
        ([Cut(sn=9, except_sn=7), Cut(sn=9)], Cut(sn=9)),
        ([Cut(sn=9, except_sn=12)], Cut(sn=9)),
        ([Cut(sn=9, auth_time=3), Cut(auth_time=8)], Cut(sn=9, auth_time=8)),
        ([Cut(sn=9, except_sn=7), ALWAYS], ALWAYS),
    ],
)
def test_cuts_fold(cuts: list[Cut], folded: Cut) -> None:
    assert fold_cuts(cuts) == folded
    assert fold_cuts(reversed(cuts)) == folded


@pytest.mark.parametrize(
    ("verdict", "outdated"),
    [
        (Verdict(cv=3), False),
        (Verdict(cv=4), True),
        (Verdict(iat=NOW - 1), False),
        (Verdict(iat=NOW), True),
        (Verdict(cv=3, iat=NOW), True),
    ],
)
def test_claims_go_out_of_date(verdict: Verdict, outdated: bool) -> None:
    assert verdict.outdates(accepted(cv=3, iat=NOW)) is outdated


def test_a_token_without_a_claims_version_is_not_outdated_by_one() -> None:
    assert not Verdict(cv=4).outdates(accepted(cv=-1))

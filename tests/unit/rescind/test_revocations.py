from __future__ import annotations

import pytest
from kit.tokens import ISS, NOW, accepted

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.numbers import NumberSet
from rescind.position import Position
from rescind.revocations import ALWAYS, Change, Cut, RevocationList, Verdict
from rescind.vocabulary import Target, TargetType, subject_name

END = Verdict(end=ALWAYS, reason="admin")
HOLD = Verdict(hold=ALWAYS, step_up_id="step-1", reason="anomaly")
REFRESH = Verdict(cv=4, reason="claims_changed")

SESSION = Target(TargetType.SESSION, ISS, "", 7)
SID = Target(TargetType.SESSION, ISS, "session-1")
TOKEN = Target(TargetType.TOKEN, ISS, "token-1")
SUBJECT = Target(TargetType.SUBJECT, ISS, subject_name(ISS, "ann"))
CLIENT = Target(TargetType.CLIENT, ISS, "web")
KEY = Target(TargetType.KEY, ISS, "k1")
ISSUER = Target(TargetType.ISSUER, ISS, ISS)
TARGETS = [SESSION, SID, TOKEN, SUBJECT, CLIENT, KEY, ISSUER]


def listed(*changes: tuple[Target, Verdict | None]) -> RevocationList:
    made = RevocationList()
    for seq, (target, verdict) in enumerate(changes, 1):
        made.apply(Position(1, seq), [Change(target, verdict)])
    return made


def reason(denied: Denied | None) -> Denial | None:
    return None if denied is None else denied.reason


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (SESSION, Denial.SESSION_REVOKED),
        (SID, Denial.SESSION_REVOKED),
        (TOKEN, Denial.TOKEN_REVOKED),
        (SUBJECT, Denial.SESSION_REVOKED),
        (CLIENT, Denial.SESSION_REVOKED),
        (KEY, Denial.KEY_REVOKED),
        (ISSUER, Denial.SESSION_REVOKED),
    ],
)
def test_each_target_ends_and_comes_back(target: Target, expected: Denial) -> None:
    made = listed((target, END))
    assert reason(made.judge(accepted())) is expected
    made.apply(Position(1, 2), [Change(target, None)])
    assert made.judge(accepted()) is None
    assert len(made) == 0


@pytest.mark.parametrize("target", TARGETS)
def test_another_issuers_target_of_the_same_name_is_another(target: Target) -> None:
    other = Target(target.type, "https://other.example", target.id, target.sn)
    assert listed((other, END)).judge(accepted()) is None


@pytest.mark.parametrize(
    "target",
    [
        Target(TargetType.SESSION, ISS, "", 8),
        Target(TargetType.SESSION, ISS, "session-2"),
        Target(TargetType.TOKEN, ISS, "session-1"),
        Target(TargetType.SUBJECT, ISS, subject_name(ISS, "bob")),
        Target(TargetType.SUBJECT, ISS, "ann"),
        Target(TargetType.CLIENT, ISS, "app"),
        Target(TargetType.KEY, ISS, "k2"),
    ],
)
def test_another_target_does_not_concern_the_token(target: Target) -> None:
    assert listed((target, END)).judge(accepted()) is None


def test_the_strictest_of_all_that_apply_counts() -> None:
    assert reason(listed((SUBJECT, REFRESH)).judge(accepted())) is Denial.TOKEN_OUTDATED
    assert reason(listed((SUBJECT, REFRESH), (SESSION, HOLD)).judge(accepted())) is Denial.STEP_UP_REQUIRED
    assert reason(listed((SUBJECT, REFRESH), (SESSION, HOLD), (CLIENT, END)).judge(accepted())) is Denial.SESSION_REVOKED


def test_parts_of_one_verdict_apply_each_by_itself() -> None:
    verdict = Verdict(end=Cut(sn=5), hold=Cut(sn=7), step_up_id="step-1", cv=4, reason="admin")
    made = listed((SUBJECT, verdict))
    assert reason(made.judge(accepted(sn=5))) is Denial.SESSION_REVOKED
    assert reason(made.judge(accepted(sn=7))) is Denial.STEP_UP_REQUIRED
    assert reason(made.judge(accepted(sn=8))) is Denial.TOKEN_OUTDATED
    assert made.judge(accepted(sn=8, cv=4)) is None


def test_a_hold_names_the_way_out() -> None:
    denied = listed((SESSION, HOLD)).judge(accepted())
    assert denied is not None
    assert denied.step_up_id == "step-1"


def test_a_refusal_says_why_and_nothing_from_the_token() -> None:
    denied = listed((SUBJECT, END)).judge(accepted())
    assert denied == Denied(Denial.SESSION_REVOKED, "the sessions of this account have ended: admin")


def test_a_duplicate_or_older_change_changes_nothing() -> None:
    made = listed((SESSION, END), (SESSION, None))
    made.apply(Position(1, 1), [Change(SESSION, END)])
    made.apply(Position(1, 2), [Change(SESSION, END)])
    assert made.judge(accepted()) is None
    assert made.position == Position(1, 2)


def test_of_several_changes_of_a_target_the_last_counts() -> None:
    made = RevocationList()
    made.apply(Position(1, 1), [Change(SESSION, None), Change(SESSION, END), Change(SID, END), Change(SID, None)])
    assert reason(made.judge(accepted())) is Denial.SESSION_REVOKED
    assert len(made) == 1


@pytest.mark.parametrize("verdict", [END, HOLD, REFRESH, Verdict(end=Cut(sn=7), reason="admin")])
def test_a_verdict_that_says_nothing_is_none(verdict: Verdict) -> None:
    made = listed((SESSION, verdict), (SESSION, Verdict(reason="admin")))
    assert made.judge(accepted()) is None
    assert made.snapshot() == RevocationList(Position(1, 2)).snapshot()


def test_a_list_of_an_older_epoch_is_cleared_by_a_lift() -> None:
    made = listed((SESSION, END), (CLIENT, END))
    made.clear([SESSION])
    assert reason(made.judge(accepted())) is Denial.SESSION_REVOKED
    made.clear([CLIENT])
    assert made.judge(accepted()) is None


class Moves(NumberSet):
    """Changes the list just before or after a reader looks into it, as another thread might."""

    def __init__(self, made: RevocationList, change: Change, *, first: bool) -> None:
        super().__init__()
        for number in made._issuers[ISS].ended:
            self.add(number)
        self.made, self.change, self.first, self.looks = made, change, first, 0
        made._issuers[ISS].ended = self

    def __contains__(self, number: int) -> bool:
        if not hasattr(self, "looks"):
            return super().__contains__(number)
        self.looks += 1
        before = super().__contains__(number)
        if self.looks == 1:
            self.made.apply(Position(1, 9), [self.change])
        return super().__contains__(number) if self.first else before


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("before", "after"), [(END, HOLD), (HOLD, END)])
def test_a_session_that_moves_while_it_is_judged_is_refused(before: Verdict, after: Verdict, first: bool) -> None:
    made = listed((SESSION, before))
    numbers = Moves(made, Change(SESSION, after), first=first)
    assert made.judge(accepted()) is not None
    assert numbers.looks


class Watched(dict[str, Verdict]):
    """Judges a token whenever a target is taken out."""

    def __init__(self, made: RevocationList, seen: list[Denied | None]) -> None:
        super().__init__()
        self.made, self.seen = made, seen

    def pop(self, name: str, default: Verdict | None = None) -> Verdict | None:  # type: ignore[override]
        gone = super().pop(name, default)
        self.seen.append(self.made.judge(accepted()))
        return gone


def test_nothing_is_free_before_all_is_refused_that_is_to_be() -> None:
    seen: list[Denied | None] = []
    made = listed((TOKEN, END))
    tokens = Watched(made, seen)
    tokens.update(made._issuers[ISS].tokens)  # type: ignore[arg-type]
    made._issuers[ISS].tokens = tokens  # type: ignore[assignment]
    made._issuers[ISS].by_type[TargetType.TOKEN] = tokens  # type: ignore[assignment]
    made.apply(Position(1, 9), [Change(TOKEN, None), Change(CLIENT, END)])
    assert [reason(denied) for denied in seen] == [Denial.SESSION_REVOKED]


def machine() -> Claims:
    return accepted(sn=-1, cv=-1, auth_time=-1, sid=None)


def test_a_machines_token_is_concerned_by_its_client_key_issuer_and_jti_alone() -> None:
    assert listed((SESSION, END), (SID, END), (SUBJECT, REFRESH)).judge(machine()) is None
    for target in (TOKEN, CLIENT, KEY, ISSUER):
        assert listed((target, END)).judge(machine()) is not None
    assert reason(listed((CLIENT, Verdict(end=Cut(auth_time=NOW)))).judge(machine())) is Denial.SESSION_REVOKED

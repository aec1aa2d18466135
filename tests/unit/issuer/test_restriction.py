import pytest

from rescind.vocabulary import Effect, Reason
from services.issuer.decisions import restriction
from services.issuer.decisions.restriction import LIVING, Restriction, Standing, State

NOW = 1_800_000_000_000
WINDOW = 7 * 86_400_000


def cut(
    id_: str = "r",
    *,
    sn: int = -1,
    except_sn: int = -1,
    auth_time: int = -1,
    whole: bool = False,
    effect: Effect = Effect.END,
    reason: Reason = Reason.LOGOUT,
    at: int = NOW,
    forever: bool = False,
) -> Restriction:
    return Restriction(
        id=id_,
        effect=effect,
        reason=reason,
        at=at,
        whole=whole,
        sn=sn,
        except_sn=except_sn,
        auth_time=auth_time,
        forever=forever,
    )


def stands(*restrictions: Restriction, sn: int = 5, auth_time: int = 1000, now: int = NOW) -> Standing:
    return restriction.standing(restrictions, sn=sn, auth_time=auth_time, now=now, lift_window=WINDOW)


@pytest.mark.parametrize(
    ("each", "state"),
    [
        (cut(sn=4), State.LIVE),
        (cut(sn=5), State.ENDED),
        (cut(sn=9, except_sn=5), State.LIVE),
        (cut(auth_time=999), State.LIVE),
        (cut(auth_time=1000), State.ENDED),
        (cut(whole=True), State.ENDED),
        (cut(whole=True, effect=Effect.HOLD, reason=Reason.ANOMALY), State.HELD),
        (cut(whole=True, reason=Reason.ADMIN), State.SUSPENDED),
        (cut(whole=True, reason=Reason.ADMIN, forever=True), State.ENDED),
        (cut(whole=True, reason=Reason.ADMIN, at=NOW - WINDOW), State.ENDED),
        (cut(whole=True, reason=Reason.ADMIN, at=NOW - WINDOW + 1), State.SUSPENDED),
    ],
)
def test_a_restriction_covers_sessions_and_can_be_lifted_or_not(each: Restriction, state: State) -> None:
    assert stands(each).state is state


def test_the_strictest_wins_and_says_why() -> None:
    held = cut("hold", whole=True, effect=Effect.HOLD, reason=Reason.ANOMALY, at=NOW - 3)
    suspended = cut("admin", whole=True, reason=Reason.ADMIN, at=NOW - 2)
    ended = cut("logout", whole=True, at=NOW - 1)
    assert stands() == LIVING
    assert stands(held) == Standing(State.HELD, "anomaly", NOW - 3, "hold")
    assert stands(suspended, held) == Standing(State.SUSPENDED, "admin", NOW - 2, "admin")
    assert stands(held, ended, suspended) == Standing(State.ENDED, "logout", NOW - 1, "logout")


def test_the_earliest_of_equals_says_why() -> None:
    assert stands(cut("b", whole=True, at=NOW), cut("a", sn=9, reason=Reason.PASSWORD_CHANGED, at=NOW - 9)).revocation_id == "a"


def test_a_lift_takes_its_own_and_leaves_the_others() -> None:
    both = (cut("a", whole=True, reason=Reason.ADMIN), cut("b", whole=True, reason=Reason.ADMIN))
    left = restriction.lifted(both, "a")
    assert [each.id for each in left] == ["b"]
    assert stands(*left).state is State.SUSPENDED
    assert stands(*restriction.lifted(left, "b")) == LIVING


def test_what_is_for_ever_is_not_lifted() -> None:
    key = (cut("a", whole=True, reason=Reason.COMPROMISED, forever=True),)
    assert restriction.lifted(key, "a") == key


@pytest.mark.parametrize(
    ("old", "new", "superfluous"),
    [
        (cut("a", sn=3), cut("b", sn=5), True),
        (cut("a", sn=3, reason=Reason.ADMIN), cut("b", sn=5), True),
        (cut("a", sn=3), cut("b", sn=5, reason=Reason.ADMIN), False),  # a lift would bring the sessions back
        (cut("a", sn=3), cut("b", sn=5, except_sn=2), False),
        (cut("a", sn=3, except_sn=2), cut("b", sn=5, except_sn=2), True),
        (cut("a", sn=7), cut("b", sn=5), False),
        (cut("a", sn=3), cut("b", sn=5, effect=Effect.HOLD, reason=Reason.ANOMALY), False),
        (cut("a", auth_time=3), cut("b", sn=5), False),
    ],
)
def test_a_final_cut_makes_narrower_ones_superfluous(old: Restriction, new: Restriction, superfluous: bool) -> None:
    kept = restriction.added((old,), new)
    assert new in kept
    assert (old not in kept) is superfluous
    for sn in range(10):
        assert stands(*kept, sn=sn, auth_time=5).state is stands(old, new, sn=sn, auth_time=5).state


def test_a_sign_in_is_younger_than_every_cut_off_that_is_known() -> None:
    assert restriction.first_alive((), 1000) == 1000
    assert restriction.first_alive((cut(sn=9), cut(auth_time=999)), 1000) == 1000
    assert restriction.first_alive((cut(auth_time=1000), cut(auth_time=7)), 1000) == 1001


def test_rows_keep_restrictions() -> None:
    some = (cut("a", sn=4, except_sn=2), cut("b", whole=True, effect=Effect.HOLD, reason=Reason.ANOMALY, forever=True))
    assert restriction.load(restriction.dump(some)) == some
    assert restriction.load(restriction.dump(())) == ()

from dataclasses import replace

import pytest
from kit.issuing import START
from kit.session_states import HERE, SETTINGS, THERE, new_session, refreshed

from rescind.events.session import (
    RefreshTokenReused,
    SessionExpired,
    SessionRevoked,
    TokenRefreshed,
    TokenReplayed,
)
from rescind.vocabulary import Effect, Reason
from services.issuer.decisions.presence import UNKNOWN
from services.issuer.decisions.refreshing import Decision
from services.issuer.decisions.restriction import Restriction
from services.issuer.decisions.session import Session, expire, revoke
from services.issuer.errors import InvalidToken, SessionEnded, SessionSuspended, StepUpRequired
from services.issuer.settings import DAY_S


def whole(effect: Effect, reason: Reason) -> Restriction:
    return Restriction(id="outside", effect=effect, reason=reason, at=START, whole=True)


def kinds(decision: Decision) -> list[str]:
    return [type(event).__name__ for event in decision.events]


def test_the_current_token_rotates_and_its_child_is_kept_by_what_it_is_made_from() -> None:
    decision = refreshed(new_session(), 1)
    rotation = decision.session.rotation
    assert decision.refusal is None
    assert (rotation.generation, rotation.kid, rotation.iat) == (2, "k2", START // 1000 + 1)
    assert rotation.exp == START // 1000 + 1 + 7 * DAY_S
    assert decision.session.last_seen == START + 1000
    assert decision.events == (
        TokenRefreshed(sid="0" * 32, sn=1, generation=2, expires=rotation.exp * 1000, cv=3, context_known=True),
    )


def test_the_parent_gets_the_same_child() -> None:
    child = refreshed(new_session(), 1).session
    decision = refreshed(child, 1, now=START + 9000)
    assert decision.session.rotation == child.rotation
    assert decision.events == (TokenReplayed(sid="0" * 32, sn=1, generation=2, late=False, context_known=True),)


def test_a_late_parent_gets_the_same_child_and_is_remembered() -> None:
    child = refreshed(new_session(), 1).session
    decision = refreshed(child, 1, now=START + 3_600_000)
    assert decision.session.rotation == replace(child.rotation, late=True)
    assert decision.events == (TokenReplayed(sid="0" * 32, sn=1, generation=2, late=True, context_known=True),)


@pytest.mark.parametrize(("presented", "presence", "cause"), [(1, HERE, "child_used"), (2, THERE, "other_device")])
def test_reuse_ends_the_session_under_one_revocation(presented: int, presence: object, cause: str) -> None:
    session = refreshed(refreshed(new_session(), 1).session, 2).session
    decision = refreshed(session, presented, presence=presence)  # type: ignore[arg-type]
    reused, revoked = decision.events
    assert isinstance(reused, RefreshTokenReused)
    assert isinstance(revoked, SessionRevoked)
    assert (reused.presented, reused.generation, reused.cause) == (presented, 3, cause)
    assert reused.revocation_id == revoked.revocation_id == "r" * 32
    assert (revoked.effect, revoked.reason, revoked.by) == ("end", "refresh_reuse", "issuer")
    assert isinstance(decision.refusal, SessionEnded)
    assert (decision.refusal.why, decision.refusal.at) == ("refresh_reuse", START + 1000)
    assert decision.session.closed_at == START + 1000


def test_unknown_contexts_match_one_another() -> None:
    child = refreshed(new_session(), 1, presence=UNKNOWN).session
    assert kinds(refreshed(child, 1, presence=UNKNOWN)) == ["TokenReplayed"]
    assert kinds(refreshed(child, 1, presence=HERE)) == ["RefreshTokenReused", "SessionRevoked"]


def test_a_generation_that_was_never_made_is_refused_and_ends_nothing() -> None:
    decision = refreshed(new_session(), 2)
    assert isinstance(decision.refusal, InvalidToken)
    assert decision == Decision(new_session(), refusal=decision.refusal)


@pytest.mark.parametrize(
    ("own", "others", "error"),
    [
        (whole(Effect.END, Reason.LOGOUT), (), SessionEnded),
        (whole(Effect.END, Reason.ADMIN), (), SessionSuspended),
        (whole(Effect.HOLD, Reason.ANOMALY), (), StepUpRequired),
        (None, (whole(Effect.HOLD, Reason.ANOMALY),), StepUpRequired),
        (whole(Effect.HOLD, Reason.ANOMALY), (whole(Effect.END, Reason.ADMIN),), SessionSuspended),
    ],
)
def test_a_session_that_does_not_live_says_why_and_is_never_reused(
    own: Restriction | None, others: tuple[Restriction, ...], error: type[Exception]
) -> None:
    session = refreshed(refreshed(new_session(), 1).session, 2).session
    session = replace(session, restrictions=(own,) if own else ())
    for generation in (1, 2, 3):
        decision = refreshed(session, generation, others=others, presence=THERE)
        assert isinstance(decision.refusal, error)
        assert decision.events == ()


def test_a_hold_names_its_revocation_as_the_way_out() -> None:
    decision = refreshed(replace(new_session(), restrictions=(whole(Effect.HOLD, Reason.ANOMALY),)), 1)
    assert isinstance(decision.refusal, StepUpRequired)
    assert decision.refusal.step_up_id == "outside"


def test_a_suspended_session_is_revoked_once_the_window_for_lifting_is_over() -> None:
    session = replace(new_session(), restrictions=(whole(Effect.END, Reason.ADMIN),))
    assert isinstance(refreshed(session, 1, now=START + 6 * DAY_S * 1000).refusal, SessionSuspended)
    late = refreshed(session, 1, now=START + 7 * DAY_S * 1000).refusal
    assert isinstance(late, SessionEnded)
    assert (late.why, late.at) == ("admin", START)


def expiries(session: Session, now: int, **settings: int) -> tuple[str, list[str]]:
    decision = refreshed(session, 1, now=now, settings=replace(SETTINGS, **settings))  # type: ignore[arg-type]
    assert isinstance(decision.refusal, InvalidToken)
    limits = [event.limit for event in decision.events if isinstance(event, SessionExpired)]
    return decision.refusal.reason, limits


def test_limits_are_noticed_and_named() -> None:
    week = START + 7 * DAY_S * 1000
    assert expiries(new_session(), week) == ("expired", ["refresh"])
    short = new_session(settings=replace(SETTINGS, absolute_limit=3600))
    assert expiries(short, START + 3_600_000, absolute_limit=3600) == ("expired", ["absolute"])
    assert expiries(new_session(), START + 60_000, inactivity_limit=60) == ("expired", ["inactivity"])


def test_a_session_expires_once() -> None:
    week = START + 7 * DAY_S * 1000
    expired = expire(new_session(), limit="refresh", now=week).session
    assert expiries(expired, week) == ("expired", [])


def test_an_expired_parent_does_no_harm() -> None:
    child = refreshed(new_session(), 1).session
    decision = refreshed(child, 1, exp=START // 1000 + 5, now=START + 5000)
    assert isinstance(decision.refusal, InvalidToken)
    assert (decision.refusal.reason, decision.events) == ("expired", ())


def test_sliding_ends_at_the_absolute_limit() -> None:
    short = replace(SETTINGS, absolute_limit=10 * DAY_S)
    session = new_session(settings=short)
    later = refreshed(session, 1, now=START + 6 * DAY_S * 1000, settings=short).session
    assert later.rotation.exp == START // 1000 + 10 * DAY_S


def test_remembered_sessions_slide_further() -> None:
    assert new_session(remember_me=True).rotation.exp == START // 1000 + 30 * DAY_S


@pytest.mark.parametrize("bound", [{"bind_ip": "strict"}, {"bind_device": "strict"}])
def test_a_strict_binding_ends_a_session_that_moved(bound: dict[str, str]) -> None:
    decision = refreshed(new_session(**bound), 1, presence=THERE)  # type: ignore[arg-type]
    assert kinds(decision) == ["SessionRevoked"]
    assert isinstance(decision.refusal, SessionEnded)
    assert decision.refusal.why == "binding_mismatch"


def test_a_logged_binding_lets_it_move_and_says_so() -> None:
    decision = refreshed(new_session(bind_ip="log", bind_device="log"), 1, presence=THERE)
    (event,) = decision.events
    assert isinstance(event, TokenRefreshed)
    assert event.binding == "ip device"


def test_the_same_revocation_twice_and_anything_after_the_end_change_nothing() -> None:
    held = revoke(new_session(), revocation_id="a", effect=Effect.HOLD, reason=Reason.ANOMALY, by="x", now=START).session
    assert revoke(held, revocation_id="a", effect=Effect.HOLD, reason=Reason.ANOMALY, by="x", now=START).events == ()
    ended = revoke(held, revocation_id="b", effect=Effect.END, reason=Reason.LOGOUT, by="user", now=START)
    assert len(ended.events) == 1
    assert revoke(ended.session, revocation_id="c", effect=Effect.END, reason=Reason.ADMIN, by="x", now=START).events == ()

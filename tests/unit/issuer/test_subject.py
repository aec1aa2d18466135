from dataclasses import replace

from rescind.events.subject import (
    PasswordChanged,
    SubjectCreated,
    SubjectDisabled,
    SubjectForgotten,
    SubjectRevoked,
    SubjectScopesChanged,
)
from rescind.vocabulary import Effect, Reason
from services.issuer.decisions import subject
from services.issuer.decisions.subject import Account

NOW = 1_800_000_000_000
ACCOUNT = Account(id="i", sub="i", name="n", client_id="", created=NOW, scopes=frozenset({"read"}), last_sn=9)


def test_scopes_raise_the_claims_version_above_all_that_were_given() -> None:
    step = subject.set_scopes(replace(ACCOUNT, cv=2, last_cv=5), frozenset({"write", "read"}), revocation_id="r", by="admin:x")
    assert step.events == (SubjectScopesChanged(revocation_id="r", name="n", scope="read write", cv=6, by="admin:x"),)
    assert (step.account.cv, step.account.last_cv, step.account.scopes) == (6, 6, frozenset({"read", "write"}))


def test_the_same_scopes_change_nothing() -> None:
    assert subject.set_scopes(ACCOUNT, frozenset({"read"}), revocation_id="r", by="x").events == ()


def test_a_refresh_from_outside_is_answered_with_a_new_version_and_the_same_scopes() -> None:
    (event,) = subject.answer_refresh(ACCOUNT, revocation_id="r", at_least=-1, by="x").events
    assert event == SubjectScopesChanged(revocation_id="r", name="n", scope="read", cv=1, by="x", answers=True)
    step = subject.answer_refresh(ACCOUNT, revocation_id="r", at_least=40, by="x")
    assert step.account.cv == 40


def test_disabling_ends_every_session_up_to_now_once() -> None:
    step = subject.disable(ACCOUNT, revocation_id="r", by="admin:x", now=NOW)
    disabled, revoked = step.events
    assert disabled == SubjectDisabled(by="admin:x")
    assert isinstance(revoked, SubjectRevoked)
    assert (revoked.sn, revoked.except_sn, revoked.effect, revoked.reason) == (9, -1, "end", "subject_disabled")
    assert step.account.restrictions[0].covers(sn=9, auth_time=0)
    assert not step.account.restrictions[0].covers(sn=10, auth_time=0)
    assert subject.disable(step.account, revocation_id="r2", by="x", now=NOW).events == ()


def test_enabling_brings_no_session_back() -> None:
    disabled = subject.disable(ACCOUNT, revocation_id="r", by="x", now=NOW).account
    enabled = subject.enable(disabled, by="x").account
    assert not enabled.disabled
    assert enabled.restrictions == disabled.restrictions
    assert subject.enable(enabled, by="x").events == ()


def test_a_password_change_spares_the_session_that_asked() -> None:
    step = subject.change_password(ACCOUNT, revocation_id="r", except_sn=4, by="user", now=NOW)
    changed, revoked = step.events
    assert changed == PasswordChanged(by="user")
    assert isinstance(revoked, SubjectRevoked)
    assert (revoked.sn, revoked.except_sn, revoked.reason) == (9, 4, "password_changed")


def test_nothing_ends_where_nothing_ever_began() -> None:
    fresh = replace(ACCOUNT, last_sn=-1)
    assert subject.change_password(fresh, revocation_id="r", except_sn=-1, by="user", now=NOW).events == (
        PasswordChanged(by="user"),
    )
    assert subject.sign_out(fresh, revocation_id="r", except_sn=-1, by="user", now=NOW).events == ()


def test_forgetting_ends_everything_and_names_nothing() -> None:
    step = subject.forget(ACCOUNT, revocation_id="r", by="admin:x", now=NOW)
    assert [type(event) for event in step.events] == [SubjectRevoked, SubjectForgotten]
    assert (step.account.forgotten, step.account.disabled) == (True, True)


def outside(account: Account, revocation_id: str, sn: int, reason: Reason = Reason.ADMIN) -> subject.SubjectStep:
    return subject.revoke(
        account,
        revocation_id=revocation_id,
        sn=sn,
        except_sn=-1,
        auth_time=-1,
        effect=Effect.END,
        reason=reason,
        by="client:x",
        now=NOW,
    )


def test_a_revocation_from_outside_is_answered_once_and_lifted_once() -> None:
    step = outside(ACCOUNT, "r", 7)
    (event,) = step.events
    assert isinstance(event, SubjectRevoked)
    assert (event.sn, event.answers) == (7, True)
    assert outside(step.account, "r", 7).events == ()
    lifted = subject.reinstate(step.account, revocation_id="r")
    assert lifted.account.restrictions == ()
    assert subject.reinstate(lifted.account, revocation_id="r").events == ()


def test_what_a_final_end_covers_already_is_no_news() -> None:
    ended = subject.sign_out(ACCOUNT, revocation_id="mine", except_sn=-1, by="user", now=NOW).account
    assert outside(ended, "r", 9).events == ()
    assert len(outside(ended, "r", 10).events) == 1


def test_a_session_that_is_no_number_is_no_cut_off() -> None:
    assert outside(ACCOUNT, "r", -1).events == ()


def test_a_cut_by_time_is_kept_though_it_means_nobody_yet() -> None:
    step = subject.revoke(
        replace(ACCOUNT, last_sn=-1),
        revocation_id="r",
        sn=-1,
        except_sn=-1,
        auth_time=1_800_000_000,
        effect=Effect.END,
        reason=Reason.ADMIN,
        by="client:x",
        now=NOW,
    )
    assert step.events == ()
    assert step.account.restrictions[0].covers(sn=10, auth_time=1_800_000_000)


def test_creation_takes_the_scopes() -> None:
    step = subject.create(replace(ACCOUNT, scopes=frozenset()), frozenset({"b", "a"}))
    assert step.events == (SubjectCreated(name="n", client_id="", scope="a b"),)
    assert step.account.scopes == {"a", "b"}

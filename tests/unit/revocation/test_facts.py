from __future__ import annotations

import pytest

from eventlog.port import Event, Recorded
from rescind.events.administration import ClientDeleted
from rescind.events.registry import LIST_TYPES, AnyEvent, encode
from rescind.events.revocation import REVOCATION_EVENTS, RevocationExtended, RevocationLifted, RevocationMade
from rescind.events.session import SessionClaimsChanged, SessionReinstated, SessionRevoked, TokenIssued
from rescind.events.subject import SubjectReinstated, SubjectRevoked, SubjectScopesChanged
from services.revocation.decisions.facts import UnreadableFact, event_of, fact_of, stream_of, translate

ISS = "https://id.example"


def recorded(event: AnyEvent, time: int = 5_000) -> Recorded:
    wire, data = encode(event)
    return Recorded("s", 1, Event(id="e", type=wire, time=time, data=data))


def session_revoked(*, answers: bool = False, reason: str = "logout", effect: str = "end") -> SessionRevoked:
    return SessionRevoked(revocation_id="r", sid="sid", sn=7, effect=effect, reason=reason, by="user", answers=answers)


def test_a_session_that_ended_goes_by_its_number() -> None:
    fact = translate(ISS, recorded(session_revoked()))
    assert fact == RevocationMade(
        revocation_id="r",
        target_type="session",
        iss=ISS,
        target_id="sid",
        sn=7,
        effect="end",
        reason="logout",
        by="user",
        at=5_000,
    )


def test_an_answer_is_a_part_of_the_revocation_that_it_answers() -> None:
    fact = translate(ISS, recorded(session_revoked(answers=True, reason="admin")))
    assert isinstance(fact, RevocationExtended)
    assert (fact.revocation_id, fact.sn, fact.reason) == ("r", 7, "admin")


def test_only_starred_reasons_can_be_lifted() -> None:
    facts = [translate(ISS, recorded(session_revoked(reason=reason))) for reason in ("admin", "logout", "refresh_reuse")]
    assert [fact.liftable for fact in facts if isinstance(fact, RevocationMade)] == [True, False, False]


def test_a_cut_off_keeps_its_number_and_its_exception() -> None:
    event = SubjectRevoked(revocation_id="r", name="n", sn=9, except_sn=4, effect="end", reason="password_changed", by="user")
    fact = translate(ISS, recorded(event))
    assert isinstance(fact, RevocationMade)
    assert (fact.target_type, fact.target_id, fact.cut_sn, fact.cut_except) == ("subject", "n", 9, 4)


def test_changed_claims_are_a_refresh() -> None:
    of_session = translate(ISS, recorded(SessionClaimsChanged(revocation_id="r", sid="sid", sn=7, cv=3, by="client:c")))
    of_subject = translate(
        ISS, recorded(SubjectScopesChanged(revocation_id="r", name="n", scope="a", cv=4, by="client:c", answers=True))
    )
    assert isinstance(of_session, RevocationMade)
    assert isinstance(of_subject, RevocationExtended)
    assert (of_session.effect, of_session.cv, of_subject.effect, of_subject.cv) == ("refresh", 3, "refresh", 4)


@pytest.mark.parametrize(
    "event", [SessionReinstated(revocation_id="r", sid="sid", sn=7), SubjectReinstated(revocation_id="r", name="n")]
)
def test_a_reinstatement_lifts(event: AnyEvent) -> None:
    assert translate(ISS, recorded(event)) == RevocationLifted(revocation_id="r", iss=ISS, by="issuer", at=5_000)


def test_a_deleted_client_is_cut_for_good_with_what_was_under_way() -> None:
    fact = translate(ISS, recorded(ClientDeleted(revocation_id="r", client_id="c", by="admin:a")))
    assert isinstance(fact, RevocationMade)
    assert (fact.target_type, fact.target_id, fact.effect, fact.liftable) == ("client", "c", "end", False)
    assert (fact.at, fact.cut_auth_time) == (5_000, 65)


def test_every_type_of_the_express_road_can_be_translated() -> None:
    sessions = (SessionRevoked, SessionReinstated, SessionClaimsChanged)
    known = (*sessions, SubjectRevoked, SubjectReinstated, SubjectScopesChanged, ClientDeleted)
    assert {str(each.wire) for each in known} == LIST_TYPES


@pytest.mark.parametrize(
    "event",
    [
        Event(id="e", type="session.revoked.v9", time=1, data=b"{}"),
        Event(id="e", type="session.revoked.v1", time=1, data=b"{}"),
        Event(id="e", type="session.revoked.v1", time=1, data=b"\xff"),
        recorded(session_revoked(reason="whim")).event,
        recorded(session_revoked(effect="refresh")).event,
        recorded(session_revoked(effect="banish")).event,
        recorded(
            TokenIssued(
                sid="s",
                sn=1,
                client_id="c",
                auth_time=1,
                expires=1,
                remember_me=False,
                cv=0,
                scope="",
                bind_ip="off",
                bind_device="off",
                context_known=True,
            )
        ).event,
    ],
)
def test_what_cannot_be_read_is_never_skipped(event: Event) -> None:
    with pytest.raises(UnreadableFact):
        translate(ISS, Recorded("s", 1, event))


def test_a_session_event_is_no_fact_of_the_revocation_log() -> None:
    with pytest.raises(UnreadableFact):
        fact_of(recorded(session_revoked()))


def test_facts_survive_being_written() -> None:
    fact = translate(ISS, recorded(session_revoked()))
    event = event_of(fact, id="e", arrived=6_000)
    assert (event.session, event.time) == ("sid", 6_000)
    assert fact_of(Recorded(stream_of(fact), 1, event)) == fact


def test_every_fact_has_a_stream() -> None:
    assert len(REVOCATION_EVENTS) == 7
    assert stream_of(RevocationLifted(revocation_id="r", iss=ISS, by="x", at=1)) == "revocation-r"

"""What the records of the list's log are keyed by in its topic."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kit.revocation_service import ISS, SAME_HOST, opened
from sqlalchemy import Engine

from rescind.events.revocation import (
    AutomationCapped,
    Fact,
    RevocationExtended,
    RevocationLifted,
    RevocationMade,
    SourceRemoved,
)
from rescind.vocabulary import subject_name
from services.revocation.decisions.facts import event_of, stream_of
from services.revocation.targets import Targets

NAME = subject_name(ISS, "alice")
_ABOUT = {"iss": ISS, "effect": "end", "reason": "admin", "by": "client:c", "at": 1}
SESSION = RevocationMade(revocation_id="of-session", target_type="session", target_id="sid", sn=7, liftable=True, **_ABOUT)  # type: ignore[arg-type]
SUBJECT = RevocationMade(revocation_id="of-subject", target_type="subject", target_id=NAME, cut_auth_time=1, **_ABOUT)  # type: ignore[arg-type]
ANSWER = RevocationExtended(revocation_id="of-subject", target_type="subject", target_id=NAME, cut_sn=3, **_ABOUT)  # type: ignore[arg-type]
REMOVED = SourceRemoved(iss=ISS, by="client:c", at=1)
CAPPED = AutomationCapped(by="client:c", cap="share", limit=1, at=1)


def lift(of: str) -> RevocationLifted:
    return RevocationLifted(revocation_id=of, iss=ISS, by="client:c", at=2)


@pytest.mark.parametrize(
    ("facts", "keys"),
    [
        ([SESSION, lift("of-session")], [f"session:{ISS}:sid"] * 2),
        ([SUBJECT, ANSWER, lift("of-subject")], [NAME] * 3),
        ([replace(SESSION, target_type="key", target_id="kid", sn=-1)], [f"key:{ISS}:kid"]),
        ([REMOVED], [f"issuer:{ISS}:{ISS}"]),
        ([CAPPED], [""]),
        ([lift("lost")], [""]),
    ],
)
def test_all_records_of_a_revocation_have_its_target(engine: Engine, facts: list[Fact], keys: list[str]) -> None:
    with opened(engine, SAME_HOST) as revocation:
        for nth, fact in enumerate(facts):
            version = len(revocation.log.read_stream(stream_of(fact)))
            revocation.log.append(stream_of(fact), [event_of(fact, id=f"e{nth}", arrived=1)], expected_version=version)
        written = revocation.log.read_stream(stream_of(facts[0]))[-len(facts) :]
        assert [Targets(revocation.log)(each) for each in written] == keys


def test_what_a_newer_version_wrote_is_passed_on(engine: Engine) -> None:
    newer = replace(event_of(SESSION, id="e", arrived=1), type="revocation.made.v9")
    with opened(engine, SAME_HOST) as revocation:
        (written,) = revocation.log.append("revocation-new", [newer], expected_version=0)
        assert Targets(revocation.log)(written) == ""

from __future__ import annotations

import pytest
from kit.session_story import HOME, THIEF

from rescind.events.personal import Personal
from services.anomaly.detector import Finding, Rule, Sighting
from services.anomaly.evidence import evidence, headline


def finding(
    before: Personal | None, now: Personal | None, *, apart: int = 240_000, rule: Rule = Rule.MOVED, cause: str = ""
) -> Finding:
    earlier = Sighting("e1", "s1", 1_000_000, b"", before)
    return Finding("f", rule, "s1", "a", 1, 1_000_000 + apart, earlier, Sighting("e2", "s1", 1_000_000 + apart, b"", now), cause)


def test_it_says_where_from_with_what_and_how_soon() -> None:
    assert evidence(finding(HOME, THIEF)) == (
        "A refresh came from another network and another device than the one before it. "
        "It came from the network 192.0.2.0/24 with Chrome on Windows; "
        "4 minutes earlier the session was seen from the network 198.51.100.0/24 with Safari on iOS."
    )


@pytest.mark.parametrize(
    ("apart", "words"),
    [(-5, "a moment"), (0, "a moment"), (1_000, "1 second"), (60_000, "1 minute"), (7_200_000, "2 hours"), (90_000_000, "1 day")],
)
def test_the_gap_is_told_in_a_fitting_unit(apart: int, words: str) -> None:
    assert f"; {words} earlier" in evidence(finding(HOME, THIEF, apart=apart))


def test_provider_and_place_are_told_where_known() -> None:
    now = Personal(ip="192.0.2.66", asn=64500, place="Oslo, NO", device="x")
    assert "192.0.2.0/24 (AS64500) in Oslo, NO with a device that names itself only by its id;" in evidence(finding(HOME, now))


def test_what_is_forgotten_is_not_told() -> None:
    assert "unknown, private or forgotten" in evidence(finding(HOME, None))
    assert "earlier" not in evidence(finding(None, THIEF))


@pytest.mark.parametrize("cause", ["child_used", "other_device", "late", "older", "something new"])
def test_a_headline_carries_nothing_personal(cause: str) -> None:
    for rule in Rule:
        line = headline(finding(HOME, THIEF, rule=rule, cause=cause))
        assert line.endswith(".")
        assert not any(each in line for each in ("198.51", "192.0", "Chrome", "Safari", "phone", "thief"))


def test_each_cause_of_reuse_has_words_of_its_own() -> None:
    causes = ("child_used", "other_device", "late", "older", "something new")
    assert len({headline(finding(HOME, THIEF, rule=Rule.REUSED, cause=cause)) for cause in causes}) == len(causes)

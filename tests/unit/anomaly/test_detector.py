from __future__ import annotations

import pytest
from kit.session_story import HIDDEN, HOME, LAPTOP, NOBODY, OFFICE, THIEF, OpenKeys, SessionStory

from rescind.events.personal import Personal
from rescind.vocabulary import Effect
from services.anomaly.detector import Finding, Rule
from services.anomaly.folding import Effects, fold, sightings
from services.anomaly.policy import Action


def found(story: SessionStory, setting: Action = Action.END) -> Effects:
    wanted = sightings(story.records, {})
    opened = dict(zip([each.event_id for each in wanted], OpenKeys().open(wanted), strict=True))
    return fold(story.records, {}, opened, setting)


def findings(story: SessionStory) -> list[Finding]:
    return [finding for finding, _ in found(story).findings]


def refreshes(*places: Personal | None) -> SessionStory:
    story = SessionStory()
    story.issued("a", places[0])
    for place in places[1:]:
        story.refreshed("a", place)
    return story


def test_network_and_device_together_are_a_finding() -> None:
    [finding] = findings(refreshes(HOME, HOME, THIEF))
    assert (finding.rule, finding.sid, finding.subject) == (Rule.MOVED, "a", "s1")
    assert (finding.before and finding.before.personal, finding.now.personal) == (HOME, THIEF)


@pytest.mark.parametrize(
    "places",
    [
        (HOME, OFFICE, HOME, OFFICE),  # a phone that travels
        (HOME, LAPTOP, HOME),  # another device in the same network
        (HOME, OFFICE, Personal(ip=OFFICE.ip, device="new", browser="Chrome", os="Linux")),  # one after the other
        (HOME, HIDDEN),
        (HOME, NOBODY),
        (HOME, None),
        (None, THIEF),
        (NOBODY, THIEF),
        (HOME, Personal(ip=THIEF.ip)),
        (HOME, Personal(device="thief", browser="Chrome", os="Windows")),
    ],
)
def test_less_than_both_is_no_finding(places: tuple[Personal | None, ...]) -> None:
    assert findings(refreshes(*places)) == []


def test_an_unknown_refresh_in_between_does_not_cover_the_tracks() -> None:
    for cover in (NOBODY, None, HIDDEN, Personal(ip=THIEF.ip), Personal(device="thief")):
        [finding] = findings(refreshes(HOME, cover, THIEF))
        assert finding.before is not None
        assert finding.before.personal == HOME


def test_a_replay_is_no_refresh() -> None:
    story = refreshes(HOME)
    story.replayed("a", THIEF)
    story.refreshed("a", HOME)
    assert findings(story) == []


def test_sessions_are_compared_with_themselves_only() -> None:
    story = SessionStory()
    story.issued("a", HOME)
    story.issued("b", THIEF)
    story.refreshed("a", HOME)
    story.refreshed("b", THIEF)
    assert findings(story) == []


def test_a_session_that_began_before_we_looked_is_learned_first() -> None:
    story = SessionStory()
    story.refreshed("a", HOME)
    story.refreshed("a", THIEF)
    assert len(findings(story)) == 1


def test_reuse_names_the_issuers_own_revocation_and_asks_for_nothing() -> None:
    story = refreshes(HOME, HOME)
    story.reused("a", THIEF)
    effects = found(story)
    [(finding, action)] = effects.findings
    assert (finding.rule, finding.cause, finding.revocation_id) == (Rule.REUSED, "child_used", "r-a")
    assert (action, list(effects.commands)) == (Action.NONE, [])


@pytest.mark.parametrize(("setting", "effects"), [(Action.SHADOW, []), (Action.HOLD, [Effect.HOLD]), (Action.END, [Effect.END])])
def test_the_setting_says_what_follows(setting: Action, effects: list[Effect]) -> None:
    result = found(refreshes(HOME, THIEF), setting)
    [(finding, action)] = result.findings
    assert action is setting
    assert [each.effect for each in result.commands] == effects
    assert all(each.finding_id == finding.id and each.sid == "a" for each in result.commands)


def test_the_same_event_gives_the_same_id_and_another_event_another() -> None:
    first, again, other = (findings(refreshes(*places))[0].id for places in ((HOME, THIEF), (HOME, THIEF), (HOME, HOME, THIEF)))
    assert first == again != other


def test_a_forgotten_subject_leaves_nothing_behind() -> None:
    story = refreshes(HOME)
    story.issued("b", HOME, subject="s2")
    story.forgotten("s1")
    effects = found(story)
    assert effects.forgotten == {"s1"}
    assert [each.sid for each in effects.sessions] == ["b"]

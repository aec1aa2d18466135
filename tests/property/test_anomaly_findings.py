"""Any log, cut anywhere and rewound anywhere, gives the findings that it gives in one piece."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from kit.session_story import HIDDEN, HOME, LAPTOP, NOBODY, OFFICE, THIEF, OpenKeys, SessionStory

from eventlog.port import Recorded
from rescind.events.personal import Personal
from services.anomaly.comparing import device_changed, is_telling, network_changed
from services.anomaly.detector import Session
from services.anomaly.folding import fold, sightings
from services.anomaly.policy import Action

PLACES = st.sampled_from([HOME, OFFICE, LAPTOP, THIEF, NOBODY, HIDDEN, None])
ACTS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["refreshed", "refreshed", "replayed", "reused"]), PLACES))
CUTS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 6)), max_size=20)
"""How many records each batch has, and by how many the reader goes back after it."""


def log_of(acts: list[tuple[str, str, Personal | None]]) -> list[Recorded]:
    story = SessionStory()
    for sid in "abc":
        story.issued(sid, HOME)
    for sid, act, place in acts:
        getattr(story, act)(sid, place)
    return story.records


def followed(log: list[Recorded], cuts: list[tuple[int, int]]) -> list[str]:
    """Finding ids in the order in which they were first made, as the worker and its store make them."""
    remembered: dict[str, Session] = {}
    found: list[str] = []
    start = 0
    for size, back in [*cuts, (len(log) + 1, 0)]:
        batch = log[start : start + size]
        wanted = sightings(batch, remembered)
        opened = dict(zip([each.event_id for each in wanted], OpenKeys().open(wanted), strict=True))
        effects = fold(batch, remembered, opened, Action.END)
        remembered |= {each.sid: each for each in effects.sessions}
        found += [each.id for each, _ in effects.findings if each.id not in found]
        start = max(0, start + len(batch) - back)
    return found


def naive(acts: list[tuple[str, str, Personal | None]]) -> int:
    """How many findings there must be: every act looked at with the whole past in view."""
    count = 0
    for place, (sid, act, now) in enumerate(acts):
        past = [HOME] + [where for other, what, where in acts[:place] if (other, what) == (sid, "refreshed")]
        last = [where for where in past if where is not None and is_telling(where)][-1]
        moved = act == "refreshed" and now is not None and network_changed(last, now) and device_changed(last, now)
        count += act == "reused" or bool(moved)
    return count


@given(ACTS, CUTS)
@settings(max_examples=150, deadline=None)
def test_findings_do_not_depend_on_delivery(acts: list[tuple[str, str, Personal | None]], cuts: list[tuple[int, int]]) -> None:
    log = log_of(acts)
    whole = followed(log, [])
    assert followed(log, cuts) == whole
    assert len(whole) == naive(acts)

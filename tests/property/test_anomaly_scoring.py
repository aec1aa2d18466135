"""The same acts give the same judgements: packed anywhere, delivered twice, woven with others', or spread over workers."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st
from kit.acts import ABROAD, BEGIN, HOME, HOSTING, MOBILE

from services.anomaly.score_lines import answered
from services.anomaly.scoring.acts import Act, Kind
from services.anomaly.scoring.campaigns import Campaign, Watcher
from services.anomaly.scoring.judging import Judgement, judge
from services.anomaly.scoring.packing import LARGEST, pack, unpack
from services.anomaly.scoring.policy import STANDARD
from services.anomaly.scoring.scorer import Scorer
from services.anomaly.scoring.traits import traits

SILENT = replace(HOME, ip=None, asn=None, cc=None, cls=None, lat=None, lon=None, acc=None, br=None, os=None, ver=None, ua=None)
PLACES = st.sampled_from([HOME, HOME, MOBILE, HOSTING, ABROAD, SILENT])
STEPS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from([*Kind, Kind.REFRESH, Kind.SIGN_IN]),
        PLACES,
        st.integers(0, 5),  # which session, and which network of the provider
        st.integers(-60, 40_000),  # seconds since the last act: the clock may run backwards
    ),
    max_size=60,
)


def acts(steps: Sequence[tuple[str, Kind, Act, int, int]]) -> list[Act]:
    made: list[Act] = []
    now = BEGIN
    for number, (sub, kind, where, which, gap) in enumerate(steps):
        now += gap * 1000
        ref = f"e{max(0, number - which)}"
        ip = f"{where.ip.rpartition('.')[0].rpartition('.')[0]}.{which}.1" if where.ip else None
        made.append(replace(where, eid=f"e{number}", ts=now, kind=kind, sub=sub, sid=f"{sub}{which}", ip=ip, ref=ref))
    return made


def lines(judgements: Sequence[Judgement]) -> list[str]:
    return [json.dumps(answered(each)) for each in judgements]


def told(log: Sequence[Act]) -> list[str]:
    scorer = Scorer()
    return lines([scorer.judge(each) for each in log])


def campaigns(log: Sequence[Act]) -> list[Campaign]:
    """What the watcher says of each act, in the log's order."""
    watcher = Watcher()
    return [
        watcher.watch(act.kind, traits(act), crc32(act.sub.encode()), act.ts // 1000)
        if act.kind in {Kind.SIGN_IN, Kind.FAILURE}
        else Campaign()
        for act in log
    ]


@given(STEPS)
def test_twice_the_same_log_is_twice_the_same_lines(steps: list[tuple[str, Kind, Act, int, int]]) -> None:
    log = acts(steps)
    assert told(log) == told(log)


@given(STEPS, st.randoms(use_true_random=False))
def test_what_comes_again_changes_nothing(steps: list[tuple[str, Kind, Act, int, int]], chance: random.Random) -> None:
    log = acts(steps)
    scorer, found = Scorer(), []
    for at, act in enumerate(log):
        for again in log[:at]:
            if chance.random() < 0.2:
                scorer.judge(again)
        found.append(scorer.judge(act))
    assert lines(found) == told(log)


@given(STEPS)
def test_a_state_is_the_same_after_a_restart_and_never_too_large(steps: list[tuple[str, Kind, Act, int, int]]) -> None:
    """Every act is judged by a state that was packed; that it was read and packed once more in between is not seen either."""
    log = acts(steps)
    states: dict[str, bytes] = {}
    found = []
    for act, campaign in zip(log, campaigns(log), strict=True):
        before = states.get(act.sub, b"")
        again = pack(unpack(before)) if before else b""
        assert again == before
        judgement = judge(again, act, traits(act), campaign, STANDARD)
        states[act.sub] = judgement.after
        assert len(judgement.after) <= LARGEST
        found.append(judgement)
    assert lines(found) == told(log)


@given(STEPS)
@settings(max_examples=50)
def test_subjects_do_not_depend_on_one_another(steps: list[tuple[str, Kind, Act, int, int]]) -> None:
    """With the campaigns as of each act, every subject may be judged by a worker of its own, whenever it comes to it."""
    log = acts(steps)
    known = dict(zip([each.eid for each in log], campaigns(log), strict=True))
    alone: dict[str, str] = {}
    for sub in "dcba":
        state = b""
        for act in (each for each in log if each.sub == sub):
            judgement = judge(state, act, traits(act), known[act.eid], STANDARD)
            state = judgement.after
            alone[act.eid] = lines([judgement])[0]
    assert [alone[each.eid] for each in log] == told(log)


def test_control_the_order_of_one_subjects_acts_does_matter() -> None:
    log = acts([("a", Kind.SIGN_IN, HOME, 0, 60)] * 3 + [("a", Kind.REFRESH, HOSTING, 0, 60)])
    assert told(log) != told([log[-1], *log[:-1]])

"""The anomaly detector against its targets, and against Freeman's IP and user-agent scorer at the same budget.

    python -m benchmarks.anomaly [--populations 8] [--first 2000] [--plot recall.svg]

Synthetic populations of seeds on which nothing was fitted (benchmarks/anomaly_fit.py uses 100 to 115). About 20 s for each.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from statistics import mean

from benchmarks.freeman import Freeman
from benchmarks.gates import table
from benchmarks.measuring import Tally, measure
from benchmarks.plotting import chart
from benchmarks.traffic.params import ATTACKS, DAY, START, draw
from benchmarks.traffic.playing import Judged, Population, play, populate
from benchmarks.traffic.shipped import Shipped
from services.anomaly.scoring.packing import LARGEST
from services.anomaly.scoring.policy import Policy
from services.anomaly.scoring.reading import act_of
from services.anomaly.scoring.scorer import Scorer as Core

THRESHOLDS = (-1.0, 0.5, 1.5, 2.0, 3.0, 5.0, 8.0)


def same_budget(population: Population, sign_in: float, refresh: float) -> Freeman:
    """Freeman's scorer with thresholds at which it interrupts the same shares of honest sign-ins and refreshes."""
    scorer = Freeman()
    for _ in range(3):  # what it interrupts changes what it learns
        judged = list(play(population, scorer))
        scorer = Freeman(_cut(population, judged, "TokenIssued", sign_in), _cut(population, judged, "TokenRefreshed", refresh))
    return scorer


def _cut(population: Population, judged: Sequence[Judged], type_: str, share: float) -> float:
    """The score that the given share of honest acts reaches."""
    after = START + population.params.warmup_days * DAY
    acts = [each for each in judged if each.moment.incident == 0 and not each.theft and each.moment.ts >= after]
    scores = sorted((each.score for each in acts if each.moment.type == type_), reverse=True)
    rank = round(share * len(scores))
    return scores[rank - 1] if rank else (scores[0] + 1e-9 if scores else inf)


def behaviour(tally: Tally) -> float:
    """Recall by behaviour, each kind of attack counting the same."""
    return mean(tally.rate(tally.behaviour, attack) for attack in ATTACKS)


def rival(population: Population, tally: Tally) -> Tally:
    return measure(population, same_budget(population, tally.share("TokenIssued"), tally.share("TokenRefreshed")))


def margin(ours: Sequence[Tally], theirs: Sequence[Tally]) -> str:
    lines = [f"{'detected by behaviour, same budget':<38}{'Freeman':>10}{'Rescind':>10}{'margin':>10}"]
    for attack in ATTACKS:
        one, other = (mean(each.rate(each.behaviour, attack) for each in tallies) for tallies in (theirs, ours))
        lines.append(f"{attack:<38}{one:>10.3f}{other:>10.3f}{other - one:>+10.3f}")
    one, other = mean(map(behaviour, theirs)), mean(map(behaviour, ours))
    lines.append(f"{'all kinds alike':<38}{one:>10.3f}{other:>10.3f}{other - one:>+10.3f}")
    spent = [mean(each.per_1000 for each in tallies) for tallies in (theirs, ours)]
    lines.append(f"{'interruptions per 1,000 user-days':<38}{spent[0]:>10.2f}{spent[1]:>10.2f}")
    return "\n".join(lines)


class _Recorder:
    """Lets everything pass and keeps it."""

    def __init__(self) -> None:
        self.events: list[dict[str, object]] = []

    def judge(self, event: dict[str, object]) -> tuple[float, str]:
        self.events.append(event)
        return 0.0, "none"


def speed(population: Population) -> str:
    """CPU for each event, the best of three: detector and state, and Freeman's for comparison."""
    recorder = _Recorder()
    for _ in play(population, recorder):
        pass
    acts = [act_of(each) for each in recorder.events]
    ours = theirs = inf
    gc.freeze()  # the recorded events are not the scorer's to walk through
    for _ in range(3):
        core, freeman = Core(), Freeman()
        began = time.process_time()
        for act in acts:
            core.judge(act)
        between = time.process_time()
        for event in recorder.events:
            freeman.judge(event)
        ours, theirs = min(ours, between - began), min(theirs, time.process_time() - between)
    cost, freemans = 1e6 * ours / len(acts), 1e6 * theirs / len(acts)
    return f"CPU for each event: {cost:.1f} µs (Freeman, whose state only grows: {freemans:.1f} µs)"


def curve(populations: Sequence[Population]) -> str:
    lines: dict[str, list[tuple[float, float]]] = {"Rescind": [], "Freeman (IP and user agent)": []}
    for threshold in THRESHOLDS:
        policy = replace(Policy(), step_up=threshold, alert=threshold - 1)
        ours = [measure(each, Shipped(policy)) for each in populations]
        theirs = [rival(population, tally) for population, tally in zip(populations, ours, strict=True)]
        for name, tallies in zip(lines, (ours, theirs), strict=True):
            lines[name].append((mean(each.per_1000 for each in tallies), mean(map(behaviour, tallies))))
        print(f"threshold {threshold:g}: {lines['Rescind'][-1]}, Freeman {lines['Freeman (IP and user agent)'][-1]}", flush=True)
    return chart(
        "Stolen sessions and takeovers that are detected, by behaviour alone",
        "interruptions of honest people per 1,000 user-days",
        "detected, the mean over kinds of attack",
        lines,
        mark=6,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--populations", type=int, default=8)
    parser.add_argument("--first", type=int, default=2000)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    ours, theirs, sizes = [], [], list[int]()
    for seed in range(given.first, given.first + given.populations):
        population = populate(draw(seed))
        scorer = Shipped()
        ours.append(measure(population, scorer))
        sizes += [len(each) for each in scorer.scorer.states.values()]
        theirs.append(rival(population, ours[-1]))
    size = f"state of a subject: {mean(sizes):.0f} bytes on average, {max(sizes)} at most, {LARGEST} if every list is full"
    print(table(ours), "", margin(ours, theirs), "", speed(population), size, sep="\n", flush=True)
    if given.plot:
        populations = [populate(draw(seed, users=120)) for seed in range(given.first, given.first + 3)]
        given.plot.write_text(curve(populations), "utf-8")


if __name__ == "__main__":
    main()

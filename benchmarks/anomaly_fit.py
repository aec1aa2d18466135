"""Fit the detector's weights on synthetic populations, none of which the benchmark measures.

    python -m benchmarks.anomaly_fit [--rounds N]     prints the tables that belong into services/anomaly/scoring/weights.py

A ridge around the present weights: what the populations say little about stays as it is. Numbers are rounded: no false precision.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from math import exp, sqrt

from benchmarks.traffic.params import DAY, START, draw
from benchmarks.traffic.playing import Population, play, populate
from benchmarks.traffic.shipped import Shipped
from services.anomaly.scoring.weights import WEIGHTS

TRAINING = range(100, 116)
CUT = 2.0
MORE = {"replay_foreign": 3.0, "replay_vpn": 2.0, "replay_dormant": 2.0, "aitm": 2.0, "naive": 2.0}
"""What is worth more than the others: a stolen token cannot be seen anywhere else, and the targets are high."""
BY_HAND = {"history.sign_in", "history.refresh", "refused", "failures", "alternation", "unit", "wave", "travel", "reuse"}
BY_HAND |= {"density"}
"""Where the populations know too little: attacks come late in them, owners who fail a step-up come back, and so on."""
FIXED = {"travel": "impossible"}  # the value shown is a distance
Vector = tuple[tuple[str, str], ...]


def collect(seeds: Iterable[int]) -> tuple[Counter[Vector], dict[str, Counter[Vector]], float]:
    """What honest people did, what each kind of attacker did first, and the honest user-days."""
    honest: Counter[Vector] = Counter()
    dishonest: dict[str, Counter[Vector]] = defaultdict(Counter)
    user_days = 0.0
    for seed in seeds:
        population = populate(draw(seed))
        user_days += population.people * population.params.days
        _watch(population, honest, dishonest)
    return honest, dishonest, user_days


def _watch(population: Population, honest: Counter[Vector], dishonest: dict[str, Counter[Vector]]) -> None:
    scorer, begun = Shipped(), set[int]()
    after = START + 3 * DAY
    for each in play(population, scorer):
        moment = each.moment
        if moment.type not in {"TokenIssued", "TokenRefreshed"} or scorer.last is None:
            continue
        reasons = [reason for reason in scorer.last.reasons if reason.table in WEIGHTS]
        vector = tuple(sorted((one.table, FIXED.get(one.table, one.value)) for one in reasons))
        if moment.incident > 0:
            if moment.incident not in begun:
                begun.add(moment.incident)
                dishonest[population.incidents[moment.incident].attack][vector] += 1
        elif moment.incident == 0 and moment.ts > after:
            honest[vector] += 1


def fit(
    honest: Mapping[Vector, int], dishonest: Mapping[str, Mapping[Vector, int]], user_days: float, worth: float, ridge: float
) -> dict[tuple[str, str], float]:
    """`worth`: how many interruptions per 1,000 user-days catching all attackers of a kind is worth."""
    start = {(table, value): llr for table, row in WEIGHTS.items() for value, llr in row.items()}
    start[("kind", "sign_in")] -= CUT
    start[("kind", "refresh")] -= CUT
    cases = [(vector, count * 1000 / user_days, 0.0) for vector, count in honest.items()]
    for kind, row in dishonest.items():
        whole = sum(row.values())
        cases += [(vector, count * worth * MORE.get(kind, 1.0) / whole, 1.0) for vector, count in row.items()]
    weights, squares = dict(start), dict.fromkeys(start, 1e-6)
    for _ in range(300):
        slopes = {key: ridge * (weights[key] - start[key]) for key in weights}
        for vector, mass, label in cases:
            z = max(-30.0, min(30.0, sum([weights[key] for key in vector])))
            push = mass * (1 / (1 + exp(-z)) - label)
            for key in vector:
                slopes[key] += push
        for key, slope in slopes.items():
            if key[0] in BY_HAND:
                continue
            squares[key] += slope * slope
            weights[key] -= 0.3 * slope / sqrt(squares[key])
    weights[("kind", "sign_in")] += CUT
    weights[("kind", "refresh")] += CUT
    return weights


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--worth", type=float, default=4.0)
    options.add_argument("--ridge", type=float, default=0.05)
    options.add_argument("--seeds", type=int, default=len(TRAINING))
    given = options.parse_args()
    honest, dishonest, user_days = collect(TRAINING[: given.seeds])
    found = fit(honest, dishonest, user_days, given.worth, given.ridge)
    counts: Counter[tuple[str, str]] = Counter()
    for vector, times in honest.items():
        counts.update(dict.fromkeys(vector, times))
    attacked: Counter[tuple[str, str]] = Counter()
    for kinds in dishonest.values():
        for vector, times in kinds.items():
            attacked.update(dict.fromkeys(vector, times))
    for table, row in WEIGHTS.items():
        print(f'    "{table}": {{')
        for value, before in row.items():
            key = (table, value)
            print(f'        "{value}": {found[key]:.1f},')
            print(f"#   {table} {value}: was {before}; {counts[key]} honest, {attacked[key]} attackers", file=sys.stderr)
        print("    },")


if __name__ == "__main__":
    main()

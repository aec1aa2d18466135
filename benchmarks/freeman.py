"""Freeman et al. (NDSS 2016), IP and user agent, as Wiefling et al. (FC'21, TOPS'22) made it reproducible: the baseline.

    risk   = product over f of global_f / local_f, times (1 / users) / (n_u / N)
    local  = sum over levels of w_l * n_u(value) / n_u; never seen: global / 4
    global = w_0 * n_0 / (n_0 + c) * n_0 / (N + M) + sum over the coarser levels of w_l * n_l / N
             unseen: w_0 / (N + M) in the first place

M is the number of distinct values of the coarser levels, plus 1. What is not challenged, or passes, is learned.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import inf, log

Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feature:
    """Levels from the finest to the coarsest, with the weights that were fitted to the RBA data set."""

    weights: tuple[float, ...]
    c: float


IP = Feature((0.6, 0.3, 0.1), 3)  # address, AS, country
UA = Feature((0.53867, 0.26805, 0.18818, 0.00511), 4)  # user agent, browser and version, system, device type
PHONES = {"iOS", "Android"}


@dataclass(slots=True)
class Counts:
    """How often each value of each level was seen, and how often anything was."""

    whole: int = 0
    levels: list[Counter[str]] = field(default_factory=lambda: [Counter() for _ in range(4)])

    def add(self, values: Values) -> None:
        self.whole += 1
        for level, value in enumerate(values):
            self.levels[level][value] += 1


class Freeman:
    """`sign_in` and `refresh`: the scores from which a step-up is asked for."""

    def __init__(self, sign_in: float = inf, refresh: float = inf) -> None:
        self.thresholds = {"TokenIssued": sign_in, "TokenRefreshed": refresh}
        self.everyone = (Counts(), Counts())
        self.subjects: dict[str, tuple[Counts, Counts]] = {}
        self.acts: Counter[str] = Counter()
        self.whole = 0
        self.pending: dict[str, dict[str, object]] = {}

    def judge(self, event: dict[str, object]) -> tuple[float, str]:
        type_, sub = str(event["type"]), str(event["sub"])
        if type_ == "StepUpPassed":
            self._learn(self.pending.pop(str(event["ref"])))
        if type_ not in self.thresholds:
            return -inf, "none"
        score = self._score(sub, event)
        if score >= self.thresholds[type_]:
            self.pending[str(event["eid"])] = event
            return score, "stepup"
        self._learn(event)
        return score, "none"

    def _score(self, sub: str, event: dict[str, object]) -> float:
        if not self.acts[sub]:
            return -inf
        score = log(self.whole / len(self.acts) / self.acts[sub])
        for feature, values, everyone, own in zip((IP, UA), _values(event), self.everyone, self.subjects[sub], strict=True):
            if values:
                score += _surprise(feature, values, everyone, own)
        return score

    def _learn(self, event: dict[str, object]) -> None:
        sub = str(event["sub"])
        self.acts[sub] += 1
        self.whole += 1
        own = self.subjects.setdefault(sub, (Counts(), Counts()))
        for values, everyone, mine in zip(_values(event), self.everyone, own, strict=True):
            if values:
                everyone.add(values)
                mine.add(values)


def _surprise(feature: Feature, values: Values, everyone: Counts, own: Counts) -> float:
    """ln of global / local."""
    if not everyone.whole or not own.whole:
        return 0.0
    smooth = everyone.whole + sum(len(each) for each in everyone.levels[1 : len(values)]) + 1
    finest = everyone.levels[0][values[0]]
    share = finest / (finest + feature.c) * finest / smooth if finest else 1 / smooth
    common = feature.weights[0] * share
    mine = feature.weights[0] * own.levels[0][values[0]] / own.whole
    for level in range(1, len(values)):
        common += feature.weights[level] * everyone.levels[level][values[level]] / everyone.whole
        mine += feature.weights[level] * own.levels[level][values[level]] / own.whole
    return log(common / mine) if mine else log(4)


def _values(event: dict[str, object]) -> tuple[Values, Values]:
    network = (str(event["ip"]), str(event.get("asn", "?")), str(event.get("cc", "?"))) if "ip" in event else ()
    if "br" not in event:
        return network, ()
    device = "mobile" if event["os"] in PHONES else "desktop"
    return network, (str(event["ua"]), f"{event['br']} {event['ver']}", str(event["os"]), device)

"""All subjects together, in memory: what the adapter, the benchmarks and a backtest run."""

from __future__ import annotations

from collections import OrderedDict
from zlib import crc32

from services.anomaly.scoring.acts import Act, Kind
from services.anomaly.scoring.campaigns import QUIET, Watcher
from services.anomaly.scoring.judging import Judgement, judge
from services.anomaly.scoring.policy import STANDARD, Policy
from services.anomaly.scoring.traits import traits

REMEMBERED = 10_000
_COMPANY = frozenset((Kind.SIGN_IN, Kind.FAILURE))


class Scorer:
    """Deterministic: the same acts in the same order, the same judgements. `states`: subject -> packed memory."""

    def __init__(self, policy: Policy = STANDARD) -> None:
        self.states: dict[str, bytes] = {}
        self._policy = policy
        self._watcher = Watcher()
        self._done: OrderedDict[str, Judgement] = OrderedDict()

    def judge(self, act: Act) -> Judgement:
        """An act that came before, with the same eid, gets the same judgement and changes nothing."""
        again = self._done.get(act.eid)
        if again is not None:
            return again
        seen = traits(act)
        campaign = QUIET
        if act.kind in _COMPANY:
            campaign = self._watcher.watch(act.kind, seen, crc32(act.sub.encode()), act.ts // 1000)
        judgement = judge(self.states.get(act.sub, b""), act, seen, campaign, self._policy)
        if judgement.after:
            self.states[act.sub] = judgement.after
        if act.eid:
            self._done[act.eid] = judgement
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
        return judgement

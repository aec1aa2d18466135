"""The shipped detector as a scorer of populations."""

from __future__ import annotations

from services.anomaly.scoring.judging import Judgement
from services.anomaly.scoring.policy import STANDARD, Policy
from services.anomaly.scoring.reading import act_of
from services.anomaly.scoring.scorer import Scorer


class Shipped:
    def __init__(self, policy: Policy = STANDARD) -> None:
        self.scorer = Scorer(policy)
        self.last: Judgement | None = None

    def judge(self, event: dict[str, object]) -> tuple[float, str]:
        self.last = self.scorer.judge(act_of(event))
        return self.last.score, self.last.action

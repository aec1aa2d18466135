"""`python -m services anomaly score`: the shipped detector with the shipped policy, over JSON lines, in lock step.

One line out for each line in, flushed before the next is read. A line that cannot be read is judged as nothing: its answer says
so in `error`, and the exit status is 1.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import TextIO

from services.anomaly.scoring.acts import Act, Kind
from services.anomaly.scoring.judging import Judgement
from services.anomaly.scoring.policy import Action
from services.anomaly.scoring.reading import Unreadable, act_of
from services.anomaly.scoring.scorer import Scorer

_OPEN = 10_000


def score_lines(lines: Iterable[bytes], out: TextIO) -> int:
    """The exit status."""
    desk, status = Desk(), 0
    for number, line in enumerate(lines, 1):
        try:
            answer = answered(desk.judge(act_of(_object(line))))
        except Unreadable as error:
            status = 1
            answer = {"score": 0.0, "action": Action.NONE, "reasons": [], "error": f"line {number}: {error}"}
        out.write(json.dumps(answer, separators=(",", ":")) + "\n")
        out.flush()
    return status


class Desk:
    """A scorer that knows whose the open step-ups are: an answer may name only the act that asked for it."""

    def __init__(self) -> None:
        self._scorer = Scorer()
        self._open: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def judge(self, act: Act) -> Judgement:
        """Each act in the order in which it comes."""
        if act.kind in {Kind.PASSED, Kind.FAILED}:
            sub, sid = self._open.pop(act.ref, ("", ""))
            act = replace(act, sub=act.sub or sub, sid=act.sid or sid)
        judgement = self._scorer.judge(act)
        if judgement.action is Action.STEP_UP:
            self._open[act.eid] = (act.sub, act.sid)
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
        return judgement


def answered(judgement: Judgement) -> dict[str, object]:
    """As it goes out."""
    reasons = [{"name": each.name, "value": each.value, "llr": each.llr} for each in judgement.reasons]
    return {"score": judgement.score, "action": judgement.action, "reasons": reasons}


def _object(line: bytes) -> dict[str, object]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is not JSON") from error
    if not isinstance(found, dict):
        raise Unreadable("it is not a JSON object")
    return found

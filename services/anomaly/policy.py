"""What follows from a finding."""

from __future__ import annotations

from enum import StrEnum

from rescind.vocabulary import Effect
from services.anomaly.detector import Finding, Rule
from services.anomaly.evidence import headline
from services.anomaly.ports import Command


class Action(StrEnum):
    """What the service does about a session whose network and device both changed. `shadow`: only writes it down."""

    NONE = "none"
    SHADOW = "shadow"
    HOLD = "hold"
    END = "end"


_EFFECTS = {Action.HOLD: Effect.HOLD, Action.END: Effect.END}


def decide(finding: Finding, setting: Action) -> tuple[Action, Command | None]:
    """The action and the command that carries it out. Reuse needs none: the issuer has ended that family already."""
    if finding.rule is not Rule.MOVED:
        return Action.NONE, None
    effect = _EFFECTS.get(setting)
    if effect is None:
        return setting, None
    return setting, Command(finding.id, finding.sid, finding.sn, effect, headline(finding))

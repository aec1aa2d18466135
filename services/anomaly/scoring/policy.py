"""What follows from a score. The thresholds are the shipped default policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """From nothing to ending everything that the subject has."""

    NONE = "none"
    ALERT = "alert"
    STEP_UP = "stepup"
    REVOKE_SESSION = "revoke_session"
    REVOKE_FAMILY = "revoke_family"
    REVOKE_SUBJECT = "revoke_subject"


@dataclass(frozen=True, slots=True)
class Policy:
    """Scores from which an action is taken. One scale for sign-ins and refreshes."""

    alert: float = 1.0
    step_up: float = 2.0
    revoke_session: float = 14.0


STANDARD = Policy()
"""What is shipped."""


def decide(policy: Policy, score: float) -> Action:
    """The strongest action whose threshold is reached."""
    if score >= policy.revoke_session:
        return Action.REVOKE_SESSION
    if score >= policy.step_up:
        return Action.STEP_UP
    return Action.ALERT if score >= policy.alert else Action.NONE

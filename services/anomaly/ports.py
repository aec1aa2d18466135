"""What the anomaly service asks of others.

AnomalyError
├── Capped    the revocation service's cap on automated revocations is reached: later
└── Refused   it will never accept this command
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rescind.events.personal import Personal
from rescind.vocabulary import Effect
from services.anomaly.detector import Sighting


@dataclass(frozen=True, slots=True)
class Command:
    """End or hold one session. `finding_id` is the idempotency key; `note` is a sentence without anything personal."""

    finding_id: str
    sid: str
    sn: int
    effect: Effect
    note: str


class Capped(Exception):
    """`retry_after`: seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("automated revocations are capped")
        self.retry_after = retry_after


class Refused(Exception):
    """The message says why, without anything personal."""


class Revoke(Protocol):
    """`POST /v1/revocations` with reason `anomaly`, or the same as a call."""

    def __call__(self, command: Command) -> str:
        """The revocation's id, the same one however often the command comes. Capped, Refused, EventLogError (try again)."""
        ...


class SubjectKeys(Protocol):
    """Opens what is sealed with subjects' keys."""

    def open(self, sightings: Sequence[Sighting]) -> Sequence[Personal | None]:
        """One answer for each, in order; None where nothing is told or the key is gone. EventLogError: try again."""
        ...

    def forget(self, subject: str) -> None:
        """Drop whatever is cached of this subject."""
        ...

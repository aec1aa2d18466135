"""What the log says about one revocation, folded for reading and for the decision to lift it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eventlog.port import Recorded
from rescind.events.revocation import RevocationExtended, RevocationLifted, RevocationMade
from rescind.position import Position
from rescind.vocabulary import LIFTABLE, TargetType
from services.revocation.decisions.facts import fact_of
from services.revocation.errors import NotFound, NotLiftable


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationView:
    """One revocation. Times in ms: `arrived` and `lifted` by this database's clock, the fact's own `at` by its author's.

    `first` is what its author said; after a loss it may be a part. `position` is None until the sequencer has passed.
    """

    first: RevocationMade | RevocationExtended
    position: Position | None
    arrived: int
    parts: int
    lifted: int | None
    lifted_by: str

    def lift_ends(self, lift_window_ms: int) -> int | None:
        """Until when it can be lifted; None where it cannot."""
        if self.lifted is not None or self.first.reason not in LIFTABLE or self.first.target_type == TargetType.KEY:
            return None
        return self.arrived + lift_window_ms


def view(records: Sequence[Recorded]) -> RevocationView:
    """Fold a revocation's stream. NotFound where it says nothing about a target."""
    said = [(each, fact) for each in records for fact in (fact_of(each),)]
    named = [(each, fact) for each, fact in said if isinstance(fact, RevocationMade | RevocationExtended)]
    if not named:
        raise NotFound("no revocation has this id")
    lifts = [(each, fact) for each, fact in said if isinstance(fact, RevocationLifted)]
    recorded, first = next((pair for pair in named if isinstance(pair[1], RevocationMade)), named[0])
    return RevocationView(
        first=first,
        position=recorded.position,
        arrived=recorded.event.time,
        parts=len(named) - 1,
        lifted=lifts[0][0].event.time if lifts else None,
        lifted_by=lifts[0][1].by if lifts else "",
    )


def decide_lift(found: RevocationView, *, by: str, now: int, lift_window_ms: int) -> RevocationLifted | None:
    """Undo a revocation; None where that was done before. NotLiftable. `now` in ms of the database's clock."""
    if found.lifted is not None:
        return None
    ends = found.lift_ends(lift_window_ms)
    if ends is None:
        raise NotLiftable("A revocation for this reason, or of a key, is for good.")
    if now > ends:
        raise NotLiftable("The time in which this revocation could be lifted is over.")
    return RevocationLifted(revocation_id=found.first.revocation_id, iss=found.first.iss, by=by, at=now)

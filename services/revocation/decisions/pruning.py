"""What the list may forget, and when. Pure.

A revocation concerns no living token once the issuer had applied it at some moment (its watermarks say up to where) and the
longest access life has passed since by the issuer's own clock. Another issuer acknowledges nothing: there the longest life of a
session must have passed since the fact's arrival.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rescind.position import Position

_APART_MS = 30_000


@dataclass(frozen=True, slots=True)
class Applied:
    """At `time` (ms of the source's clock) the source had applied our log up to `position`."""

    time: int
    position: Position


@dataclass(slots=True)
class Memory:
    """Some of what the sources said lately; a restart forgets it, which only delays the pruning by one access life."""

    said: dict[str, list[Applied]] = field(default_factory=dict)

    def note(self, iss: str, applied: Applied) -> None:
        """Keep it when the last one kept is long enough ago. A source that was put back to an older state has said nothing."""
        kept = self.said.setdefault(iss, [])
        if kept and applied.position < kept[-1].position:
            kept.clear()
        if not kept or applied.time >= kept[-1].time + _APART_MS:
            kept.append(applied)

    def due(self, iss: str, *, now: int, life_ms: int) -> Applied | None:
        """Give the latest that is a life ago by the source's clock, and forget those before it."""
        kept = self.said.get(iss, [])
        passed = [each for each in kept if each.time + life_ms <= now]
        if not passed:
            return None
        self.said[iss] = kept[len(passed) - 1 :]
        return passed[-1]

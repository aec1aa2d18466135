"""Guarantee 2, the service's half: whoever asks a service that no longer follows its own log learns that the list is old."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from kit.revocation_service import ISS, Issuer, opened
from sqlalchemy import Engine

from eventlog.sql.sequencer import Sequencer
from rescind.events.session import SessionRevoked
from rescind.freshness import Freshness
from services.revocation.decisions.sources import Source
from services.revocation.decisions.standing import Ages, Standing
from services.revocation.projector import Projector
from services.revocation.service import Revocation

MAX_STALENESS_MS = 10_000

Tell = Callable[[Standing, float], Ages]


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def honest(standing: Standing, now: float) -> Ages:
    return standing.ages(now)


def by_the_web_tier(standing: Standing, _: float) -> Ages:
    """Broken: the ages as they were when the pair was read, told for ever by a web tier that lives."""
    return standing.ages(standing.taken)


def stale_after(revocation: Revocation, clock: Clock, tell: Tell, *, seconds: int = 30) -> float | None:
    """Acknowledge every second to a service whose projector is dead; after how many ms is the verifier stale?"""
    freshness = Freshness(clock)
    standing = revocation.serving()
    freshness.applied(standing.head)
    began = clock.now
    for _ in range(seconds):
        ages = tell(revocation.serving(), clock.now)
        freshness.acked(clock.now, standing.head, ages.own, ages.sources)
        if freshness.age_ms(ISS) > MAX_STALENESS_MS:
            return clock.now - began
        clock.now += 1_000
    return None


@pytest.mark.parametrize(("tell", "seen"), [(honest, True), (by_the_web_tier, False)])
def test_a_dead_projector_behind_a_living_web_tier(engine: Engine, tell: Tell, *, seen: bool) -> None:
    clock = Clock()
    with opened(engine, clock=clock) as revocation:
        Issuer(revocation).send()
        Sequencer(revocation.log).number()
        revocation.projector.step()
        found = stale_after(revocation, clock, tell)
    assert (found is not None and found <= MAX_STALENESS_MS + 1_000) is seen


class Hasty(Projector):
    """Broken: believes every watermark at once, whether its facts are in the list or not."""

    def _count(self, sources: Sequence[Source], in_log: frozenset[str]) -> None:
        super()._count(sources, in_log | {each.last_fact for each in sources})


class NoClock(Projector):
    """Broken: takes the moment of reading for the time up to which the log is numbered."""

    def step(self) -> bool:
        more = super().step()
        standing = self._feed.standing
        if standing is not None:
            self._feed.standing = Standing(standing.head, standing.taken, standing.now, standing.now, standing.sources)
        return more


def as_(cls: type[Projector], projector: Projector) -> Projector:
    made = cls.__new__(cls)
    made.__dict__ = projector.__dict__
    return made


@pytest.mark.parametrize(("cls", "honest"), [(Projector, True), (Hasty, False)])
def test_a_stopped_sequencer_with_a_relay_that_goes_on(engine: Engine, cls: type[Projector], *, honest: bool) -> None:
    """What the source told is committed, but not in the list: its watermark must not be told either."""
    with opened(engine, clock=Clock()) as revocation:
        projector, issuer = as_(cls, revocation.projector), Issuer(revocation)
        issuer.send()
        Sequencer(revocation.log).number()
        projector.step()
        before = revocation.serving().sources[ISS]
        for sn in range(20):
            issuer.send(SessionRevoked(revocation_id=f"r{sn}", sid="s", sn=sn, effect="end", reason="logout", by="user"))
            projector.step()
        assert (revocation.serving().sources[ISS] == before) is honest
        assert len(revocation.projector.listed) == 0


@pytest.mark.parametrize(("cls", "honest"), [(Projector, True), (NoClock, False)])
def test_the_lists_own_age_is_that_of_its_numbering(engine: Engine, cls: type[Projector], *, honest: bool) -> None:
    with opened(engine, clock=Clock()) as revocation:
        numbered = Sequencer(revocation.log).number()
        projector = as_(cls, revocation.projector)
        projector.step()
        projector.step()
        assert (revocation.serving().complete == numbered.time) is honest or revocation.serving().now == numbered.time

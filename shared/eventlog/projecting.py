"""Runs a projection over a feed. It never skips: what cannot be applied halts it, visibly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from eventlog.backoff import backoff
from eventlog.errors import StoreUnavailable, UnknownOutcome
from eventlog.port import Checkpoint, EventFeed, Projection

_WAIT_S = 0.2


@dataclass(frozen=True, slots=True)
class Lag:
    """How a projection stands. `trouble` says in words why it does not go on; empty when all is well."""

    checkpoint: Checkpoint
    caught_up: bool
    trouble: str = ""


def catch_up(feed: EventFeed, projection: Projection, *, limit: int = 500, wait: float = 0.0) -> int:
    """Apply everything up to the feed's end; how many records that were. Waits `wait` seconds for the first."""
    done = 0
    while (batch := feed.read(projection.checkpoint(), limit=limit, wait=0.0 if done else wait)).records:
        projection.apply(batch)
        done += len(batch.records)
    return done


def run(
    feed: EventFeed,
    projection: Projection,
    stop: threading.Event,
    *,
    report: Callable[[Lag], None],
    limit: int = 500,
) -> None:
    """Follow the feed until stopped, reporting after each round.

    StoreUnavailable and UnknownOutcome are tried again with back-off. Any other error is reported and raised: the projection
    stays where it is until somebody has looked.
    """
    failures = 0
    checkpoint = Checkpoint("")
    while not stop.is_set():
        try:
            checkpoint = projection.checkpoint()
            batch = feed.read(checkpoint, limit=limit, wait=_WAIT_S)
            if batch.records or batch.checkpoint != checkpoint:
                projection.apply(batch)
        except (StoreUnavailable, UnknownOutcome) as error:
            failures += 1
            report(Lag(checkpoint, caught_up=False, trouble=f"waits: {error}"))
            stop.wait(backoff(failures))
        except Exception as error:
            report(Lag(checkpoint, caught_up=False, trouble=f"halted after {checkpoint or 'the start'}: {type(error).__name__}"))
            raise
        else:
            failures = 0
            report(Lag(batch.checkpoint, caught_up=len(batch.records) < limit))

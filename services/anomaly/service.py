"""The anomaly service's room: the worker and the sender as loops, findings over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from eventlog.port import EventFeed
from eventlog.projecting import Lag, run
from services.access import Access
from services.anomaly import api
from services.anomaly.opening import CachedKeys
from services.anomaly.policy import Action
from services.anomaly.ports import Revoke
from services.anomaly.sender import Sender
from services.anomaly.store import AnomalyStore
from services.anomaly.worker import Worker
from services.runtime import Loop, Measure, Service

NAME = "service:anomaly"
"""How this service stands in the audit when it opens personal data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`disclose` gives subjects' keys to a named reader, audited."""

    store: AnomalyStore
    disclose: api.Disclose
    revoke: Revoke
    access: Access
    action: Action


Work = Callable[[threading.Event], None]
"""Runs until the event is set."""


class _Standing:
    """How far a worker came, as its loop last reported. `working`: whether it is this process that reads here."""

    def __init__(self, name: str, *, working: bool) -> None:
        self._name = name
        self.working = working
        self.lag: Lag | None = None

    def report(self, lag: Lag) -> None:
        self.lag = lag

    def ready(self) -> Mapping[str, str]:
        if not self.working:
            return {}
        if self.lag is None:
            return {self._name: "The session log has not been read yet."}
        if self.lag.trouble:
            return {self._name: f"Reading the session log {self.lag.trouble}."}
        return {} if self.lag.caught_up else {self._name: "Old events are still being read."}


def room(parts: Parts, feed: EventFeed) -> Service:
    """Put it together where one process reads the whole session log."""
    return shared_room(parts, [Reading("anomaly-worker", parts.store, feed)])


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader of the session log, or of a part of it. `store` keeps its checkpoint.

    `alone`: what makes only one of several processes do it; None where there is only one.
    """

    name: str
    store: AnomalyStore
    feed: EventFeed
    alone: Callable[[Work], Work] | None = None


def shared_room(parts: Parts, readings: Sequence[Reading]) -> Service:
    """Put it together with these readers, which share the log between them, and with other processes."""
    sender = Sender(parts.store, parts.revoke)
    standings = [_Standing(each.name, working=each.alone is None) for each in readings]

    def loop(reading: Reading, standing: _Standing) -> Loop:
        def follow(stop: threading.Event) -> None:
            keys = CachedKeys(lambda subjects: parts.disclose(subjects, NAME))
            worker = Worker(reading.store, keys, action=parts.action, found=sender.wake)
            standing.working = True
            run(reading.feed, worker, stop, report=standing.report)
            standing.working, standing.lag = False, None  # where it halted, what it said stands

        return Loop(reading.name, reading.alone(follow) if reading.alone else follow)

    def ready() -> Mapping[str, str]:
        return {name: words for each in standings for name, words in each.ready().items()} | dict(sender.ready())

    def measures() -> Sequence[Measure]:
        return (Measure("anomaly_outbox_commands", "Commands that wait for the revocation service.", parts.store.backlog()),)

    return Service(
        name="anomaly",
        router=api.routes(parts.store, parts.access, parts.disclose),
        loops=(*(loop(*each) for each in zip(readings, standings, strict=True)), Loop("anomaly-sender", sender.run)),
        ready=ready,
        measures=measures,
    )

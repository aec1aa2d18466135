"""The anomaly service's room: the worker and the sender as loops, findings over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
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
    """`feed` is the session log's; `disclose` gives subjects' keys to a named reader, audited."""

    store: AnomalyStore
    feed: EventFeed
    disclose: api.Disclose
    revoke: Revoke
    access: Access
    action: Action


class _Standing:
    """How far the worker came, as its loop last reported."""

    def __init__(self) -> None:
        self.lag: Lag | None = None

    def report(self, lag: Lag) -> None:
        self.lag = lag

    def ready(self) -> Mapping[str, str]:
        if self.lag is None:
            return {"anomaly-worker": "The session log has not been read yet."}
        if self.lag.trouble:
            return {"anomaly-worker": f"Reading the session log {self.lag.trouble}."}
        return {} if self.lag.caught_up else {"anomaly-worker": "Old events are still being read."}


def room(parts: Parts) -> Service:
    """Put it together."""
    sender = Sender(parts.store, parts.revoke)
    keys = CachedKeys(lambda subjects: parts.disclose(subjects, NAME))
    worker = Worker(parts.store, keys, action=parts.action, found=sender.wake)
    standing = _Standing()

    def follow(stop: threading.Event) -> None:
        run(parts.feed, worker, stop, report=standing.report)

    def measures() -> Sequence[Measure]:
        return (Measure("anomaly_outbox_commands", "Commands that wait for the revocation service.", parts.store.backlog()),)

    return Service(
        name="anomaly",
        router=api.routes(parts.store, parts.access, parts.disclose),
        loops=(Loop("anomaly-worker", follow), Loop("anomaly-sender", sender.run)),
        ready=lambda: {**standing.ready(), **sender.ready()},
        measures=measures,
    )

"""Follows the session log: a projection whose effect is findings."""

from __future__ import annotations

from collections.abc import Callable

from eventlog.errors import Contention
from eventlog.port import Batch, Checkpoint
from services.anomaly.folding import Effects, fold, sightings
from services.anomaly.policy import Action
from services.anomaly.ports import SubjectKeys
from services.anomaly.store import AnomalyStore

_ATTEMPTS = 3


class Worker:
    """An `eventlog.port.Projection`. It reads, decides without holding a transaction, and writes if nobody was faster."""

    def __init__(self, store: AnomalyStore, keys: SubjectKeys, *, action: Action, found: Callable[[], None]) -> None:
        self._store = store
        self._keys = keys
        self._action = action
        self._found = found  # called after a commit that left commands in the outbox

    def checkpoint(self) -> Checkpoint:
        """Where to go on from."""
        return self._store.checkpoint()

    def apply(self, batch: Batch) -> None:
        """Findings, detector state, outbox and checkpoint, in one transaction. StoreUnavailable: try again."""
        for _ in range(_ATTEMPTS):
            before = self._store.checkpoint()
            effects = self._fold(batch)
            for subject in effects.forgotten:
                self._keys.forget(subject)
            if self._store.commit(effects, before=before, after=batch.checkpoint):
                if effects.commands:
                    self._found()
                return
        raise Contention("another worker reads the same log")

    def _fold(self, batch: Batch) -> Effects:
        sessions = self._store.sessions({each.event.session for each in batch.records if each.event.session})
        wanted = sightings(batch.records, sessions)
        opened = {each.event_id: told for each, told in zip(wanted, self._keys.open(wanted), strict=True)} if wanted else {}
        return fold(batch.records, sessions, opened, self._action)

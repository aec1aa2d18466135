"""Carries commands from the outbox to the revocation service: at least once, under one idempotency key each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from eventlog.backoff import backoff
from eventlog.errors import EventLogError
from eventlog.signal import Signal
from services.anomaly.ports import Capped, Refused, Revoke
from services.anomaly.store import AnomalyStore

logger = logging.getLogger(__name__)

_POLL = 0.5  # s; how late another process's finding is noticed


class Sender:
    """One command after the other, in the order of their findings. What cannot be sent now is sent later, never skipped."""

    def __init__(self, store: AnomalyStore, revoke: Revoke) -> None:
        self._store = store
        self._revoke = revoke
        self._found = Signal()
        self._trouble = ""

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._found.give()

    def ready(self) -> Mapping[str, str]:
        """Empty, or why commands do not get through."""
        return {"anomaly-outbox": self._trouble} if self._trouble else {}

    def step(self) -> bool:
        """Send the oldest command; False when there is none. Capped and EventLogError leave it where it is."""
        command = self._store.waiting()
        if command is None:
            return False
        try:
            revocation_id = self._revoke(command)
        except Refused as refused:
            logger.warning("revocation refused", extra={"fields": {"finding": command.finding_id, "why": str(refused)}})
            self._store.answered(command.finding_id, refusal=str(refused))
        else:
            self._store.answered(command.finding_id, revocation_id=revocation_id)
        return True

    def run(self, stop: threading.Event) -> None:
        """Empty the outbox, wait for more, until `stop`."""
        failures = 0
        while not stop.is_set():
            seen = self._found.count
            try:
                more = self.step()
            except Capped as capped:
                self._trouble = "The revocation service's cap on automated revocations is reached; sending goes on later."
                stop.wait(capped.retry_after)
            except Exception as error:  # noqa: BLE001  (whatever it was, the command keeps its place)
                failures += 1
                why = str(error) if isinstance(error, EventLogError) else type(error).__name__
                self._trouble = f"A command waits for the revocation service: {why}."
                stop.wait(backoff(failures))
            else:
                failures, self._trouble = 0, ""
                if not more:
                    self._found.wait(seen, _POLL)

"""What time does: sessions expire, keys retire, day keys and old rows go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eventlog.errors import EventLogError
from eventlog.sealing import key_name
from services.issuer.beginning import save_step
from services.issuer.decisions import session as sessions
from services.issuer.keys import Keys
from services.issuer.settings import DAY_S, IssuerSettings
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.times import Now

logger = logging.getLogger(__name__)

_PAUSE_S = 5.0
_BATCH = 200
_KEPT_S = DAY_S
"""So long after its last token expired a session still says why it ended."""


@dataclass(frozen=True, slots=True)
class Sweeping:
    """One pass is `sweep`; any number of processes may do it."""

    store: Store
    keys: Keys
    settings: IssuerSettings
    now: Now

    def run(self, stop: threading.Event) -> None:
        """A pass every five seconds until stopped; what fails is tried again by the next one."""
        while not stop.is_set():
            try:
                self.sweep()
            except EventLogError as error:
                logger.warning("the sweep waits", extra={"fields": {"reason": str(error)}})
            stop.wait(_PAUSE_S)

    def sweep(self) -> int:
        """One pass; how many sessions were found expired."""
        now = self.now()
        expired = self._expire_all(lambda unit: unit.sessions.due(now // 1000, _BATCH))
        if self.settings.inactivity_limit:
            seen_before = now - self.settings.inactivity_limit * 1000
            expired += self._expire_all(lambda unit: unit.sessions.idle(seen_before, _BATCH))
        self.keys.retire()
        self.store.write(lambda unit: self._prune(unit, now))
        return expired

    def _expire_all(self, due: Callable[[Unit], Sequence[str]]) -> int:
        total = 0
        while count := self.store.write(lambda unit: self._expire(unit, due(unit))):
            total += count
        return total

    def _expire(self, unit: Unit, sids: Sequence[str]) -> int:
        """Decide on locked rows: who refreshed meanwhile lives on."""
        now, count = self.now(), 0
        for session in unit.sessions.find_all(sids, lock=True).values():
            limit = sessions.limit_reached(session, self.settings, now)
            if limit and not session.closed_at:
                save_step(unit, sessions.expire(session, limit=limit, now=now), now=now)
                count += 1
        return count

    def _prune(self, unit: Unit, now: int) -> None:
        settings = self.settings
        unit.sessions.prune(now // 1000 - _KEPT_S)
        unit.keyring.drop_days(key_name("", now - settings.personal_retention * 1000))
        unit.restrictions.prune(
            tokens_before=now - (settings.access_ttl + _KEPT_S) * 1000,
            others_before=now - (settings.lift_window + _KEPT_S) * 1000,
            wide_before=now - (settings.absolute_limit + _KEPT_S) * 1000 if settings.absolute_limit else 0,
        )


class LiveSessions:
    """How many sessions live, counted at most every few seconds: watermarks ask four times a second."""

    def __init__(self, store: Store, now: Now, *, max_age_ms: int = 5000) -> None:
        self.store = store
        self._now = now
        self._max_age_ms = max_age_ms
        self._counted: tuple[int, int] | None = None

    def __call__(self) -> int:
        """The count; EventLogError when the database is away."""
        now = self._now()
        if self._counted is None or not 0 <= now - self._counted[0] < self._max_age_ms:
            with self.store.reading() as unit:
                self._counted = (now, unit.sessions.count_open(now // 1000))
        return self._counted[1]

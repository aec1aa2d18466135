"""The way back of the cluster: what was revoked elsewhere comes into the issuer's records, by whichever process has the lease."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from threading import Event

from eventlog.kafka import topics
from eventlog.kafka.feed import KafkaFeed
from eventlog.kafka.settings import KafkaSettings
from eventlog.projecting import Lag, run
from services.cluster.wiring import LIST_SOURCE
from services.issuer.following import Following
from services.roads.peer import Peer
from services.roads.refill import REVOCATIONS, LogRefill
from services.roads.revocation_log import RevocationLogFeed, TwoWays

logger = logging.getLogger(__name__)

_LOOK_AGAIN_S = 5.0


class WayBack:
    """Over HTTP, and from the topic where HTTP fails. What cannot be read halts it, visibly; the issuer serves on."""

    def __init__(self, brokers: KafkaSettings, peer: Peer, following: Following) -> None:
        self._brokers = brokers
        self._peer = peer
        self._following = following
        self._trouble = ""

    def warnings(self) -> Mapping[str, str]:
        """Empty, or why nothing comes; also where another process has the lease."""
        if not self._trouble:
            return {}
        return {"way back": f"What was revoked elsewhere does not come into the issuer's records: it {self._trouble}."}

    def run(self, stop: Event) -> None:
        """Follow until stopped."""
        second = KafkaFeed(self._brokers, topics.REVOCATIONS, iss=LIST_SOURCE, refill=LogRefill(self._peer, REVOCATIONS))
        feed = TwoWays(RevocationLogFeed(self._peer), second)
        try:
            while not stop.is_set():
                self._follow(feed, stop)
        finally:
            second.close()
            self._trouble = ""

    def _follow(self, feed: TwoWays, stop: Event) -> None:
        try:
            run(feed, self._following, stop, report=self._report)
        except Exception:  # it stays where it is until somebody has looked; sign-ins and refreshes need not wait for that
            logger.exception("the way back halted")
            stop.wait(_LOOK_AGAIN_S)

    def _report(self, lag: Lag) -> None:
        self._trouble = lag.trouble

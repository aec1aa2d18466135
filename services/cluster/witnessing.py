"""Before an issuer serves: is its database the newest that anybody has seen? Else `sn`s and positions would be given twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from eventlog.errors import EventLogError
from rescind.position import Position
from services.issuer.wiring import Issuer

logger = logging.getLogger(__name__)

Witness = Callable[[], Position | None]
"""How far somebody else has come in the issuer's log; None for nowhere. EventLogError when it does not answer."""


def agree(issuer: Issuer, witnesses: Sequence[Witness]) -> None:
    """Ask one after the other, until one knows our log to where it ends now; it may grow meanwhile, by another process.

    One that knows what our log does not have proves that the database was put back: a new epoch begins. Where nobody knows the
    end, it may have been put back: numbers of sessions are skipped, for there are enough of them.
    """
    end = issuer.log.head()[0]
    for witness in witnesses:
        try:
            known = witness()
        except EventLogError:
            continue
        if known is None or known < end:
            continue
        if known <= issuer.log.head()[0]:
            return
        logger.warning("this database was put back to an older state", extra={"fields": {"witness": "log position"}})
        issuer.log.raise_epoch(above=known.epoch)
        break
    issuer.restored()

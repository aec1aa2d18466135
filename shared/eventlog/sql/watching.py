"""Notices what other processes number: their wake-ups do not reach this one."""

from __future__ import annotations

import threading

from eventlog.backoff import backoff
from eventlog.errors import StoreUnavailable
from eventlog.sql.log import SqlLog

_EVERY_S = 0.025


def watch(log: SqlLog, stop: threading.Event) -> None:
    """Wake this process's readers of a log soon after its head moved, until stopped."""
    failures, seen = 0, None
    while not stop.is_set():
        try:
            head = log.head()
        except StoreUnavailable:
            failures += 1
            stop.wait(backoff(failures))
            continue
        failures = 0
        if head != seen:
            seen = head
            log.numbered.give()
        stop.wait(_EVERY_S)

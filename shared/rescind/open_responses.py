"""Responses that stay open (WebSocket, server-sent events): judged again whenever the list changes, and closed when refused."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Protocol

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.judging import Policy
from rescind.verifier import Verifier

_TICK = 1.0  # seconds; staleness comes without a change of the list
_LEEWAY = 60  # seconds
_MISSED = Denied(Denial.EXPIRED, "changes may have been missed since the token expired: connect again")


class OpenResponse(Protocol):
    """One of them. It is only touched in its own event loop."""

    claims: Claims
    policy: Policy | None
    loop: asyncio.AbstractEventLoop

    def refuse(self, denied: Denied) -> None:
        """Close it."""
        ...


class OpenResponses:
    """All that are open in this process. `now` gives wall-clock seconds."""

    def __init__(self, verifier: Verifier, now: Callable[[], float] = time.time) -> None:
        self._verifier = verifier
        self._now = now
        self._of: dict[asyncio.AbstractEventLoop, set[OpenResponse]] = {}
        self._due: set[asyncio.AbstractEventLoop] = set()
        self._ticks: dict[asyncio.AbstractEventLoop, asyncio.TimerHandle] = {}
        self._lock = threading.Lock()
        self._unsubscribe: Callable[[], None] | None = None

    def add(self, response: OpenResponse) -> None:
        """Watch a response; it may be refused at once, for what changed since its request was judged."""
        with self._lock:
            self._of.setdefault(response.loop, set()).add(response)
            if self._unsubscribe is None:
                self._unsubscribe = self._verifier.subscribe(self._changed)
        if response.loop not in self._ticks:
            self._ticks[response.loop] = response.loop.call_later(_TICK, self._tick, response.loop)
        self._judge(response, missed=False)

    def remove(self, response: OpenResponse) -> None:
        """It has ended."""
        with self._lock:
            responses = self._of.get(response.loop, set())
            responses.discard(response)
            if not responses:
                self._of.pop(response.loop, None)
                if response.loop in self._ticks:
                    self._ticks.pop(response.loop).cancel()
            if not self._of and self._unsubscribe is not None:
                self._unsubscribe()
                self._unsubscribe = None

    def _changed(self, resynced: bool) -> None:
        """In the follower's thread. Many changes in a row are one sweep."""
        with self._lock:
            due = [loop for loop in self._of if resynced or loop not in self._due]
            self._due.update(due)
        for loop in due:
            try:
                loop.call_soon_threadsafe(self._sweep, loop, resynced)
            except RuntimeError:  # the loop was closed, and its responses with it
                with self._lock:
                    self._of.pop(loop, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop, resynced: bool) -> None:
        self._due.discard(loop)  # before judging: a change from now on is another sweep
        for response in tuple(self._of.get(loop, ())):
            self._judge(response, missed=resynced)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ticks[loop] = loop.call_later(_TICK, self._tick, loop)
        self._sweep(loop, resynced=False)

    def _judge(self, response: OpenResponse, *, missed: bool) -> None:
        """`missed`: a snapshot replaced the list. It no longer names sessions whose last token has expired."""
        denied = self._verifier.judge(response.claims, policy=response.policy)
        if denied is None and missed and response.claims.exp + _LEEWAY < self._now():
            denied = _MISSED
        if denied is not None:
            response.refuse(denied)

"""Asks a follower again and again whether a session may pass, and keeps what was answered when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

from kit.feed_server import CREDENTIAL, ISS

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.feed import Feed, Stream
from rescind.follower import Follower
from rescind.freshness import Freshness, boot_clock
from rescind.http_feed import HttpFeed
from rescind.position import Position

MAX_STALENESS = 0.4
"""Seconds."""

SN = 7
"""The session that the tests end."""


def claims_of(sn: int = SN) -> Claims:
    return Claims(iss=ISS, sub="anna", aud=("api",), exp=2000, iat=1000, jti=f"j{sn}", client_id="app", sid=f"s{sn}", sn=sn)


Occasion = Literal["idle", "read", "taken"]
"""When it was asked: just so, right after a piece of the feed was read, right after an acknowledgement's answer was taken."""


@dataclass(frozen=True)
class Probe:
    """One question: when it was asked, on the clock that the whole machine shares, and the refusal, if any."""

    at: float
    refused: Denial | None
    occasion: Occasion = "idle"


class Prober:
    """Asks when it is told to, in any thread. `told` hears every answer.

    `max_staleness` in seconds. Freshness first, then the list: the order of `Verifier.verify`.
    What it waits for in vain is a TimeoutError, not an AssertionError: no variant that is broken on purpose is to fail by it.
    """

    def __init__(
        self, follower: Follower, max_staleness: float, *, sn: int = SN, told: Callable[[Probe], object] = lambda _: None
    ) -> None:
        self.probes: list[Probe] = []
        self.follower = follower
        self._bound_ms = max_staleness * 1000
        self._claims = claims_of(sn)
        self._told = told
        self._turn = threading.Lock()

    def ask(self, occasion: Occasion = "idle") -> Probe:
        with self._turn:  # so that the probes stand in the order of the questions
            at = boot_clock()
            fresh = self.follower.freshness.age_ms(ISS) <= self._bound_ms
            denied = self.follower.local.judge(self._claims) if fresh else Denied(Denial.STALE, "")
            probe = Probe(at, denied.reason if denied else None, occasion)
            self.probes.append(probe)
            self._told(probe)
        return probe

    def until(self, what: Callable[[Probe], bool], timeout: float = 20.0) -> Probe:
        """Ask until an answer is of that kind."""
        give_up = boot_clock() + timeout * 1000
        pause = threading.Event()
        while not what(probe := self.ask()):
            if probe.at > give_up:
                raise TimeoutError("it never came to that; the last answer was", probe.refused)
            pause.wait(0.002)
        return probe

    def until_asked(self, occasion: Occasion, after: float) -> None:
        """Ask until it was asked on that occasion too."""
        self.until(lambda _: any(probe.occasion == occasion and probe.at > after for probe in list(self.probes)))

    def accepted_after(self, moment: float) -> list[Probe]:
        return [probe for probe in self.probes if probe.refused is None and probe.at > moment]


def accepted(probe: Probe) -> bool:
    return probe.refused is None


def stale(probe: Probe) -> bool:
    return probe.refused is Denial.STALE


def revoked(probe: Probe) -> bool:
    return probe.refused is Denial.SESSION_REVOKED


def past(moment: float) -> Callable[[Probe], bool]:
    return lambda probe: probe.at > moment


class Watched(Freshness):
    """The real one; `taken` is called after every answer to an acknowledgement."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: Callable[[], object] = lambda: None

    def acked(self, asked_at: float, head: Position, age_ms: float, ages: Mapping[str, float]) -> None:
        super().acked(asked_at, head, age_ms, ages)
        self.taken()

    def touch(self) -> None:
        """A piece of the feed arrived: that means nothing."""


class FrameFreshness(Watched):
    """Broken on purpose: the arrival of any frame counts as freshness, as in a client that trusts heartbeats."""

    def __init__(self) -> None:
        super().__init__()
        self.frame_at = float("-inf")

    def touch(self) -> None:
        self.frame_at = self.clock()

    def age_ms(self, iss: str = "") -> float:
        del iss
        return self.clock() - self.frame_at


class AnswerFreshness(Watched):
    """Broken on purpose: the age counts from the arrival of the answer instead of from the question."""

    def acked(self, asked_at: float, head: Position, age_ms: float, ages: Mapping[str, float]) -> None:
        del asked_at
        super().acked(self.clock(), head, age_ms, ages)


class WatchedFeed:
    """A feed that calls `arrived` after every piece that is read from its stream, before anybody decodes it."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.arrived: Callable[[], object] = lambda: None
        self.snapshot, self.acknowledge, self.close = feed.snapshot, feed.acknowledge, feed.close

    def open(self, after: Position | None, mark: str) -> Stream:
        stream = self._feed.open(after, mark)
        read = stream.read

        def watched() -> bytes:
            piece = read()
            self.arrived()
            return piece

        stream.read = watched  # type: ignore[method-assign]
        return stream


PATIENT = 30.0
"""Seconds: no connection breaks because the machine has other things to do, or the process sleeps."""


@contextmanager
def following(
    url: str,
    freshness: Watched,
    *,
    silence: float = PATIENT,
    keep: float = 60.0,
    told: Callable[[Probe], object] = lambda _: None,
) -> Iterator[Prober]:
    """Yield the prober of a follower: it asks right after each piece of the feed and each answer, too."""
    feed = WatchedFeed(HttpFeed(url, CREDENTIAL, silence=silence, patience=silence))
    follower = Follower(feed, instance="v-1", max_staleness=MAX_STALENESS, freshness=freshness, keep=keep)
    prober = Prober(follower, MAX_STALENESS, told=told)

    def arrived() -> None:
        freshness.touch()
        prober.ask("read")

    feed.arrived = arrived
    freshness.taken = partial(prober.ask, "taken")
    follower.start()
    try:
        yield prober
    finally:
        follower.close()

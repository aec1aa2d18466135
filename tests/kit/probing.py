"""Asks a follower again and again whether a session may pass, and keeps what was answered when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Probe:
    """One question: when it was asked, on the clock that the whole machine shares, and the refusal, if any."""

    at: float
    refused: Denial | None


class Prober:
    """`max_staleness` in seconds. Freshness first, then the list: the order of `Verifier.verify`."""

    def __init__(self, follower: Follower, max_staleness: float, sn: int = SN) -> None:
        self.probes: list[Probe] = []
        self._follower = follower
        self._bound_ms = max_staleness * 1000
        self._claims = claims_of(sn)

    def ask(self) -> Probe:
        at = boot_clock()
        fresh = self._follower.freshness.age_ms(ISS) <= self._bound_ms
        denied = self._follower.local.judge(self._claims) if fresh else Denied(Denial.STALE, "")
        probe = Probe(at, denied.reason if denied else None)
        self.probes.append(probe)
        return probe

    def until(self, what: Callable[[Probe], bool], timeout: float = 20.0) -> Probe:
        """Ask until an answer is of that kind."""
        give_up = boot_clock() + timeout * 1000
        pause = threading.Event()
        while not what(probe := self.ask()):
            assert probe.at < give_up, f"it never came to that; the last answer was {probe.refused}"
            pause.wait(0.002)
        return probe

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


class FrameFreshness(Freshness):
    """Broken on purpose: the arrival of any frame counts as freshness, as in a client that trusts heartbeats."""

    def __init__(self) -> None:
        super().__init__()
        self.frame_at = float("-inf")

    def age_ms(self, iss: str = "") -> float:
        del iss
        return self.clock() - self.frame_at


class AnswerFreshness(Freshness):
    """Broken on purpose: the age counts from the arrival of the answer instead of from the question."""

    def acked(self, asked_at: float, head: object, age_ms: float, ages: object) -> None:
        del asked_at
        super().acked(self.clock(), head, age_ms, ages)  # type: ignore[arg-type]


class Touching:
    """A feed that tells a `FrameFreshness` of every piece that arrives."""

    def __init__(self, feed: HttpFeed, freshness: FrameFreshness) -> None:
        self._feed, self._freshness = feed, freshness
        self.snapshot, self.acknowledge, self.close = feed.snapshot, feed.acknowledge, feed.close

    def open(self, after: Position | None, mark: str) -> Stream:
        stream = self._feed.open(after, mark)
        read, freshness = stream.read, self._freshness

        def touching() -> bytes:
            piece = read()
            freshness.frame_at = freshness.clock()
            return piece

        stream.read = touching  # type: ignore[method-assign]
        return stream


@contextmanager
def following(url: str, freshness: Freshness, *, silence: float = 1.0, keep: float = 60.0) -> Iterator[Follower]:
    http = HttpFeed(url, CREDENTIAL, silence=silence, patience=silence)
    feed: Feed = Touching(http, freshness) if isinstance(freshness, FrameFreshness) else http
    follower = Follower(feed, instance="v-1", max_staleness=MAX_STALENESS, freshness=freshness, keep=keep)
    follower.start()
    try:
        yield follower
    finally:
        follower.close()

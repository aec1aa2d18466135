"""A real verifier that is asked all the time: was it ever stale, and did it accept what had ended?"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rescind import Claims, Denied, Verifier
from rescind.errors import Denial
from rescind.freshness import boot_clock
from rescind.judging import Policy

MAX_STALENESS_S = 10.0
_PAUSE_S = 0.02
_UNSURE = {Denial.STALE, Denial.NOT_READY, Denial.EXPIRED}


@dataclass
class Ended:
    """A session whose end was acknowledged at `at` (ms of `boot_clock`); `refused_at`: when the verifier first said so."""

    access: str
    at: float
    refused_at: float = 0.0

    @property
    def took_ms(self) -> float:
        return self.refused_at - self.at


@dataclass
class Witness:
    """Asks in a thread of its own.

    `wrong`: sessions that were accepted after a refusal, or while the list was provably newer than their end, or later than
    staleness allows.
    """

    verifier: Verifier
    ended: list[Ended] = field(default_factory=list)
    stale: list[float] = field(default_factory=list)
    wrong: list[Ended] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    earlier: int = 0

    def anew(self) -> None:
        """What was seen until now does not count, except for what must never be accepted again."""
        self.earlier = len(self.ended)
        self.stale.clear()

    @property
    def recent(self) -> Sequence[Ended]:
        return self.ended[self.earlier :]

    def end(self, access: str, at: float) -> None:
        self.ended.append(Ended(access, at))

    @property
    def open(self) -> int:
        """How many that have ended are not refused as such yet."""
        return sum(not each.refused_at for each in self.ended)

    @property
    def slowest_ms(self) -> float:
        return max((each.took_ms for each in self.recent if each.refused_at), default=0.0)

    def watch(self) -> None:
        while not self.stop.wait(_PAUSE_S):
            if not self.verifier.ready:
                self.stale.append(boot_clock())
            for each in list(self.ended):
                self._look(each)

    def _look(self, ended: Ended) -> None:
        asked = boot_clock()
        complete_at = asked - 1000 * self.verifier.staleness
        answer = self.verifier.verify(ended.access)
        if isinstance(answer, Claims):
            if ended.refused_at or complete_at > ended.at or asked > ended.at + 1000 * MAX_STALENESS_S:
                self.wrong.append(ended)
        elif _is_end(answer) and not ended.refused_at:
            ended.refused_at = boot_clock()


def _is_end(answer: Denied) -> bool:
    """What has expired was refused without the list."""
    return answer.reason not in _UNSURE


@contextmanager
def witness(iss: str, feed: str, credential: str, *, policy: Policy = "strict") -> Iterator[Witness]:
    """`best_effort`: one that has to be wrong where nobody speaks, the control of the others."""
    verifier = Verifier(
        issuers=iss, audience="rescind", feed=feed, credential=credential, policy=policy, max_staleness=MAX_STALENESS_S
    )
    made = Witness(verifier)
    thread = threading.Thread(target=made.watch, name="witness", daemon=True)
    try:
        thread.start()
        yield made
    finally:
        made.stop.set()
        thread.join(10)
        verifier.close()

"""A verifier whose process was suspended (a laptop's lid, a paused container) wakes up stale, not with its old opinion."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.fault_proxy import STREAM, FaultProxy, fault_proxy
from kit.feed_server import FeedServer, ended, feed_server
from kit.probing import MAX_STALENESS, SN
from kit.processes import running

from rescind.freshness import boot_clock

BOUND_MS = MAX_STALENESS * 1000


class Sleeper:
    """The process, and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.said: list[tuple[float, str]] = []

    def until(self, word: str, after: float = 0.0) -> None:
        """Listen until it says `word`, an answer or when it asked, later than `after`."""
        assert self._process.stdout
        for line in self._process.stdout:
            at, said, when = line.split()
            self.said.append((float(at), said))
            if word in {said, when} and float(at) > after:
                return
        raise EOFError("the process ended")  # no AssertionError: the broken variant is not to fail by this

    @contextmanager
    def asleep(self) -> Iterator[None]:
        os.kill(self._process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)
        yield
        os.kill(self._process.pid, signal.SIGCONT)

    def accepted_after(self, moment: float) -> list[float]:
        return [at for at, said in self.said if said == "accepted" and at > moment]


@pytest.fixture
def service() -> Iterator[FeedServer]:
    with feed_server(beat=0.03) as server:
        yield server


@pytest.fixture
def proxy(service: FeedServer) -> Iterator[FaultProxy]:
    with fault_proxy(service.url) as proxy:
        yield proxy


@pytest.mark.parametrize(
    "variant",
    [
        "Watched",
        pytest.param("FrameFreshness", marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason="broken on purpose")),
    ],
)
def test_a_verifier_that_slept_does_not_accept_what_was_revoked_meanwhile(
    variant: str, service: FeedServer, proxy: FaultProxy, tmp_path: Path
) -> None:
    """While it sleeps, heartbeats fill its socket; then the network goes, and the session ends."""
    with running(["-m", "kit.probe_process", proxy.url, variant], folder=tmp_path) as process:
        sleeper = Sleeper(process)
        sleeper.until("accepted")
        with sleeper.asleep():
            proxy.await_piece(STREAM)
            proxy.black_hole()
            service.publish(ended(SN))
            revoked_at = boot_clock()
            _pass_time(2 * BOUND_MS)
            woken_at = boot_clock()
        sleeper.until("read", after=woken_at)  # it has read what its socket held, and was asked at once
        proxy.release()
        sleeper.until("session_revoked")
        assert sleeper.accepted_after(revoked_at + BOUND_MS) == []


def _pass_time(milliseconds: float) -> None:
    """The fault *is* that time passes, on a clock that another process reads: it cannot be injected."""
    threading.Event().wait(milliseconds / 1000)

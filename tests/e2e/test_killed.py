"""Guarantee 6, on the whole of it: SIGKILL in the middle of refreshes and revocations loses nothing that was acknowledged."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from kit.installation import Installation, Pair, free_port, installation
from kit.server_process import server_process
from kit.waiting import until

WORKERS, ACKNOWLEDGED = 4, 12


@dataclass
class Worker:
    """Refreshes one session over and over, and has sessions of its own revoked from outside; remembers what was answered."""

    latest: Pair
    doomed: list[tuple[str, Pair]]
    used: list[Pair] = field(default_factory=list)
    revoked: list[tuple[str, Pair]] = field(default_factory=list)

    def work(self, platform: Installation, done: threading.Semaphore) -> None:
        """Until the server is gone."""
        try:
            while True:
                self.used.append(self.latest)
                self.latest = platform.refresh(self.latest)
                if self.doomed:
                    sid, pair = self.doomed.pop()
                    self.revoked.append((platform.revoke(sid), pair))
                done.release()
        except httpx.TransportError:
            return


def test_what_was_acknowledged_stands_after_a_kill(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with server_process(data, "--port", port) as server, installation(server) as platform:
        platform.account()
        workers = [_worker(platform) for _ in range(WORKERS)]
        done = threading.Semaphore(0)
        threads = [threading.Thread(target=worker.work, args=(platform, done)) for worker in workers]
        for thread in threads:
            thread.start()
        for _ in range(ACKNOWLEDGED):
            assert done.acquire(timeout=60)
        server.kill()
        for thread in threads:
            thread.join(60)
    assert sum(len(worker.revoked) for worker in workers) >= ACKNOWLEDGED // 2
    with server_process(data, "--port", port) as server, installation(server) as platform:
        for worker in workers:
            _holds(platform, worker)
        assert server.stop() == 0


def _worker(platform: Installation) -> Worker:
    doomed = [platform.sign_in() for _ in range(4)]
    return Worker(platform.sign_in(), [(platform.session_of(pair), pair) for pair in doomed])


def _holds(platform: Installation, worker: Worker) -> None:
    """The newest token that was answered is alive, those before its parent are not; every revocation is there and effective."""
    child = platform.refresh(worker.latest)
    assert child.refresh != worker.latest.refresh
    for revocation, pair in worker.revoked:
        assert platform.http.get(f"/v1/revocations/{revocation}", headers=platform.admin).status_code == 200
        until(lambda pair=pair: _code(platform, pair) == "session_suspended", timeout=30)  # type: ignore[misc]
    for pair in worker.used[:1]:  # last: to present it ends the family
        assert _code(platform, pair) == "token_not_valid"


def _code(platform: Installation, pair: Pair) -> str:
    answer = platform.http.post("/api/token/refresh/", json={"refresh": pair.refresh})
    return str(answer.json().get("code"))

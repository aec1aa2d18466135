"""Slow work is in nobody's way, and a stop ends what is open."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
from kit.issuer_http import Issuer, bearer, serving_issuer
from kit.pairs import NOW

from services.issuer.views import LogEntry

MORE_THAN_ALL_THREADS = 60


def test_a_flood_of_sign_ins_leaves_threads_for_others(http: httpx.Client, issuer: Issuer) -> None:
    issuer.script.gate.clear()
    body = {"username": "ada", "password": "right"}
    with ThreadPoolExecutor(MORE_THAN_ALL_THREADS) as pool:
        flood = [pool.submit(http.post, "/api/token/", json=body, timeout=60) for _ in range(MORE_THAN_ALL_THREADS)]
        while not issuer.script.calls:
            assert not any(each.done() for each in flood)
        try:
            assert httpx.get(f"{issuer.url}/api/sessions", headers=bearer(), timeout=10).status_code == 200
            assert httpx.post(f"{issuer.url}/api/token/verify/", json={"token": "t"}, timeout=10).status_code == 200
        finally:
            issuer.script.gate.set()
        assert {each.result().status_code for each in flood} == {200}


def test_a_stop_ends_streams_first() -> None:
    with serving_issuer() as issuer, httpx.Client(base_url=issuer.url) as http:
        issuer.log.entries.append(
            LogEntry(position="1.1", id="e", type="TokenIssued", time=NOW, sub=None, sid=None, data={}, personal=None)
        )
        opened, ended = threading.Event(), threading.Event()

        def follow() -> None:
            with http.stream("GET", "/v1/log/stream", headers=bearer("m", "", "log:read")) as answer:
                for line in answer.iter_lines():
                    if line.startswith("id"):
                        opened.set()
            ended.set()

        follower = threading.Thread(target=follow)
        follower.start()
        assert opened.wait(10)
        issuer.stop()
        assert ended.wait(10), "the stream was closed in order, long before the drain is over"
        follower.join()

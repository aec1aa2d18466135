"""Guarantee 6, on the whole of it: both databases are put back to an older state."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from kit.installation import Pair, free_port, installation
from kit.server_process import server_process
from kit.waiting import until

from rescind import Claims, Denied, Verifier

STORES = ("issuer.db", "revocation.db")


def back_up(data: Path, copies: Path) -> None:
    copies.mkdir()
    for name in STORES:
        with closing(sqlite3.connect(data / name)) as source, closing(sqlite3.connect(copies / name)) as target:
            source.backup(target)


def put_back(data: Path, copies: Path) -> None:
    for name in STORES:
        for leftover in (f"{name}-wal", f"{name}-shm"):
            (data / leftover).unlink(missing_ok=True)
        shutil.copy(copies / name, data / name)


def refused(verifier: Verifier, *pairs: Pair) -> bool:
    return all(isinstance(verifier.verify(pair.access), Denied) for pair in pairs)


def accepted(verifier: Verifier, *pairs: Pair) -> bool:
    return all(isinstance(verifier.verify(pair.access), Claims) for pair in pairs)


def test_no_verifier_accepts_what_it_had_refused(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with server_process(data, "--port", port) as server, installation(server) as maya:
        maya.account()
        credential = (
            maya.http.post("/v1/verifiers", headers=maya.admin, json={"name": "shop"}).raise_for_status().json()["credential"]
        )
        verifier = Verifier(issuers=server.url, audience="rescind", feed=server.url, credential=credential, max_staleness=5)
        with closing(verifier):
            first, second, stays = maya.sign_in(), maya.sign_in(), maya.sign_in()
            until(lambda: accepted(verifier, first, second, stays))
            back_up(data, tmp_path / "copies")
            late = maya.sign_in()
            maya.log_out(first)
            maya.revoke(maya.session_of(second))
            maya.log_out(late)
            until(lambda: refused(verifier, first, second, late))
            server.kill()
            put_back(data, tmp_path / "copies")
            with server_process(data, "--port", port) as again, installation(again) as restored:
                until(lambda: _has_entered(verifier, 2, first, second, late), timeout=30)
                until(lambda: accepted(verifier, stays), timeout=30)
                assert refused(verifier, first, second, late)
                new = restored.sign_in()
                until(lambda: accepted(verifier, new))
                assert refused(verifier, first, second, late)
                assert again.stop() == 0
    log = data.with_name("data.log").read_text()
    assert "put back to an older state" in log


def _has_entered(verifier: Verifier, epoch: int, *dead: Pair) -> bool:
    """Look at every moment on the way, too."""
    assert refused(verifier, *dead)
    return verifier.position is not None and verifier.position.epoch >= epoch

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.feed_server import CREDENTIAL, ended, lifted
from kit.processes import ROOT, running
from kit.verifying import Platform, platform


@pytest.fixture
def world() -> Iterator[Platform]:
    with platform() as made:
        yield made


@pytest.fixture
def credential(tmp_path: Path) -> str:
    path = tmp_path / "credential"
    path.write_text(f"{CREDENTIAL}\n")
    return str(path)


def verify(world: Platform, credential: str, token: str, *options: str, read: str | None = None) -> tuple[int, list[str]]:
    feed = ["--feed", world.feed.url, "--credential-file", credential]
    done = subprocess.run(
        [sys.executable, "-m", "rescind.cli", "verify", token, *feed, "--audience", "rescind", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT / "shared")},
        input=read,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_verify_says_why(world: Platform, credential: str) -> None:
    status, said = verify(world, credential, world.token(7))
    assert (status, said[:3]) == (0, ["accepted", "subject  ann", "session  s7, number 7"])
    assert verify(world, credential, "-", read=f"{world.token(7)}\n")[0] == 0
    world.feed.publish(ended(7, world.iss))
    assert verify(world, credential, world.token(7)) == (1, ["refused: session_revoked", "the session has ended"])
    assert verify(world, credential, "rubbish")[1][0] == "refused: malformed"
    assert verify(world, credential, world.token(7), "--audience", "another")[1][0] == "refused: wrong_audience"


def test_verify_cannot_tell_without_the_list(world: Platform, credential: str) -> None:
    world.feed.state.refusing = 503
    status, said = verify(world, credential, world.token(7), "--wait", "0.5")
    assert status == 2
    assert said[0] == "refused: not_ready"
    assert "the revocation service asks to come back later" in said[2]
    status, said = verify(world, "/nowhere", world.token(7))
    assert (status, said) == (2, ["rescind: [Errno 2] No such file or directory: '/nowhere'"])


def test_watch_tails_the_feed_through_an_interruption(world: Platform, credential: str, tmp_path: Path) -> None:
    world.feed.publish(ended(1, world.iss))
    arguments = ["-m", "rescind.cli", "watch", "--feed", world.feed.url, "--credential-file", credential]
    with running(arguments, folder=tmp_path) as process:
        assert process.stdout
        assert process.stdout.readline() == "1.1 snapshot; 1 targets are listed\n"
        world.feed.publish(ended(7, world.iss))
        assert process.stdout.readline() == f"1.2 session number 7 of {world.iss}: ended (logout)\n"
        world.feed.cut()
        assert process.stdout.readline().startswith("rescind: the feed")
        world.feed.publish(lifted(7, world.iss))
        assert process.stdout.readline() == f"1.3 session number 7 of {world.iss}: listed no more\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130

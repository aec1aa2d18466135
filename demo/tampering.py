"""Checks the log with `verify-log`, and a copy of it in which one row was changed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from demo.people import expect
from demo.processes import server_environ
from demo.world import World

_FORGERY = "UPDATE events SET data = CAST(replace(CAST(data AS TEXT), 'refresh_reuse', 'logout') AS BLOB)"


def verify(world: World, data: Path) -> None:
    """The log itself is sound."""
    world.screen.command(f"python -m services verify-log --data {data}")
    status, said = _verify_log(data, world.stage.database)
    for line in said:
        world.screen.say(line)
    expect(status == 0, "verify-log finds the log unsound")
    world.screen.step("the hash chain holds from the first row to the last")


def verify_forgery(world: World, data: Path) -> None:
    """Somebody with the database's password makes a revocation look like another one; on SQLite files, where we can copy."""
    with tempfile.TemporaryDirectory(prefix="rescind-forged-") as folder:
        forged = _copy(data, Path(folder) / "data")
        with closing(sqlite3.connect(forged / "issuer.db")) as database:
            database.execute(_FORGERY)
            database.commit()
        status, said = _verify_log(forged, "")
    named = [line for line in said if "was changed" in line]
    expect(status != 0 and named, "verify-log does not find the changed row")
    world.screen.step("in a copy, a theft is rewritten into a logout, and verify-log finds the row:")
    world.screen.say(named[0])


def _copy(data: Path, folder: Path) -> Path:
    shutil.copytree(data, folder, ignore=shutil.ignore_patterns("*.db*"))
    for source in data.glob("*.db"):
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(folder / source.name)) as copy:
            live.backup(copy)
    return folder


def _verify_log(data: Path, database: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "services", "verify-log", "--data", str(data)]
    environ = server_environ(database)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  (our own)
    return done.returncode, (done.stdout + done.stderr).splitlines()

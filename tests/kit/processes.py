"""Servers as processes of their own: started, found by the address that they print, ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(arguments: Sequence[str], *, folder: Path, modules: str = "") -> Iterator[subprocess.Popen[str]]:
    """Run `python …` in a folder; its output and errors come as one text. It is asked to stop at the end, then made to."""
    path = os.pathsep.join(filter(None, [modules, str(ROOT / "shared"), str(ROOT / "tests")]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def address(process: subprocess.Popen[str]) -> str:
    """Give the URL that a server says it listens on; what it prints afterwards is read and dropped."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        found = re.search(r"http://127\.0\.0\.1:[1-9][0-9]*", line)
        if found:
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return found[0]
    raise AssertionError(printed)

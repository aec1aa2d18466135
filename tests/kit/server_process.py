"""`python -m services` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LISTENS = "Rescind listens on "


def run(*argv: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; ten seconds at most."""
    return subprocess.run(_command(argv), env=_clean(environ), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that listens."""

    process: subprocess.Popen[str]
    url: str
    data: Path
    log: Path

    def credentials(self) -> Mapping[str, str]:
        """What the first start told."""
        told: dict[str, str] = json.loads((self.data / "admin-client.json").read_text("utf-8"))
        return told

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.process.kill()
        self.process.wait(60)


@contextmanager
def server_process(data: Path, *argv: str, environ: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """`all` on a free port unless `argv` names one. What it logs is in `data`'s sibling `NAME.log`."""
    log = data.with_name(f"{data.name}.log")
    with log.open("a", encoding="utf-8") as errors:
        process = subprocess.Popen(
            _command(["all", "--data", str(data), "--port", "0", *argv]),
            env=_clean(environ),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield ServerProcess(process, _url(process, log), data, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _url(process: subprocess.Popen[str], log: Path) -> str:
    for line in process.stdout or ():
        if line.startswith(_LISTENS):
            return line.removeprefix(_LISTENS).split(". ")[0]
    message = f"the server did not start: {log.read_text('utf-8')}"
    raise AssertionError(message)


def _command(argv: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "services", *argv]


def _clean(environ: Mapping[str, str] | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RESCIND_")}
    return {**kept, **(environ or {})}

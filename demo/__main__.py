"""`python -m demo [--once]`: starts everything, plays the story, and leaves it running to look at until Ctrl-C.

`python -m demo --stage FILE` plays it where everything runs already.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from demo.people import NotHeld
from demo.processes import APIS, staged
from demo.screen import Screen
from demo.stage import Stage
from demo.story import play

_INTERRUPTED = 130
_TERMINATED = 143
_PATIENCE_S = 15.0


def main() -> int:
    """0 only if every step of the story held."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the story")
    parser.add_argument(
        "--port", type=int, default=8000, help="Rescind's port; the demo APIs get the next two; what is taken is replaced"
    )
    parser.add_argument("--stage", type=Path, help="JSON file of demo.stage.Stage: play there, start nothing")
    chosen = parser.parse_args()
    if chosen.stage:
        return _visit(Screen(), chosen.stage)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # leave through the with blocks: the processes end with us
    screen, folder = Screen(), Path(tempfile.mkdtemp(prefix="rescind-demo-"))
    status = _INTERRUPTED
    try:
        status = _perform(screen, folder, chosen.port, once=chosen.once)
    except NotHeld as trouble:
        screen.failed(str(trouble))
        status = 1
    except KeyboardInterrupt:
        screen.say("Stopped before the end of the story.")
    finally:
        if status != 1:  # else somebody wants to read what the processes said
            shutil.rmtree(folder, ignore_errors=True)
    return status


def _visit(screen: Screen, path: Path) -> int:
    if not path.exists():
        screen.failed("There is no cluster yet: docker compose up --build --wait")
        return 1
    stage = Stage.read(path)
    screen.title("Rescind: a revoked session is refused everywhere, within milliseconds", "against services that run already")
    for url in filter(None, (stage.rescind, stage.revocation, stage.anomaly, *stage.apis.values())):
        screen.say(url)
    _await_ready(stage)
    return 0 if play(stage, screen) else 1


def _await_ready(stage: Stage) -> None:
    """Give resource servers that were cut off a moment to prove that they are fresh again; then play, whatever holds."""
    deadline = time.monotonic() + _PATIENCE_S
    with httpx.Client(timeout=2, verify=stage.tls) as http:
        for url in stage.apis.values():
            while time.monotonic() < deadline and not _is_ready(http, url):
                time.sleep(0.2)


def _is_ready(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False


def _perform(screen: Screen, folder: Path, port: int, *, once: bool) -> int:
    screen.title(
        "Rescind: a revoked session is refused everywhere, within milliseconds", "starting three processes on 127.0.0.1 …"
    )
    with staged(folder, ports=[port and port + place for place in range(1 + len(APIS))]) as stage:
        _introduce(screen, stage)
        held = play(stage, screen)
        if not held:
            screen.say(f"What the processes said is in {folder}.")
        if not once:
            _linger(screen, stage)
        return 0 if held else 1


def _introduce(screen: Screen, stage: Stage) -> None:
    screen.say(f"rescind  {stage.rescind}    issuer, revocation list and anomaly service, on SQLite")
    for name, url in stage.apis.items():
        screen.say(f"{name:<8} {url}    a resource server that uses the SDK")


def _linger(screen: Screen, stage: Stage) -> None:
    screen.say("Everything keeps running until Ctrl-C. To look around:")
    screen.command(f"cat {stage.data}/admin-client.json")
    screen.command(f"curl -u CLIENT_ID:CLIENT_SECRET -d grant_type=client_credentials {stage.rescind}/oauth/token")
    screen.command(f"curl -H 'Authorization: Bearer ACCESS_TOKEN' {stage.rescind}/v1/log")
    screen.command(f"curl {stage.rescind}/openapi.json")
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())

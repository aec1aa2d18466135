"""Starts the whole stage on this machine: Rescind, and two resource servers, as processes of their own on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from demo.joining import add_verifier, write_private
from demo.people import NotHeld
from demo.stage import Stage

APIS = ("orders", "photos")
_START_S = 40.0
_STOP_S = 15.0


@contextmanager
def staged(folder: Path, *, ports: Sequence[int] = (0, 0, 0), database: str = "", options: Sequence[str] = ()) -> Iterator[Stage]:
    """Everything runs and is ready while this lasts. `ports`: Rescind's and the two APIs'; what is 0 or taken is replaced.

    `options`: more of `python -m services all`.

    NotHeld when a process does not come up; what it said is in `folder`.
    """
    data = folder / "data"
    rescind_port, *api_ports = (_free_port(port) for port in ports)
    rescind = f"http://127.0.0.1:{rescind_port}"
    with ExitStack() as running:
        given = ["--data", str(data), "--port", str(rescind_port), "--trusted-proxy", "127.0.0.1", *options]
        running.enter_context(_process(folder, "rescind", ["-m", "services", "all", *given], server_environ(database)))
        _wait_until_ready("rescind", rescind, folder)
        admin = json.loads((data / "admin-client.json").read_text("utf-8"))
        apis = {name: f"http://127.0.0.1:{port}" for name, port in zip(APIS, api_ports, strict=True)}
        stage = Stage(
            rescind=rescind,
            apis=apis,
            client_id=admin["client_id"],
            client_secret=admin["client_secret"],
            data=data,
            database=database,
        )
        for (name, url), port in zip(apis.items(), api_ports, strict=True):
            credential = folder / f"{name}.credential"
            write_private(credential, add_verifier(stage, name))
            arguments = ["--port", str(port), "--rescind", rescind, "--credential-file", str(credential)]
            running.enter_context(_process(folder, name, ["-m", f"demo.{name}", *arguments], server_environ("")))
            _wait_until_ready(name, url, folder)
        yield stage


def server_environ(database: str) -> dict[str, str]:
    """Our own environment without settings of somebody else's Rescind. The database's URL may hold a password: no argument."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RESCIND_")}
    return inherited | ({"RESCIND_DATABASE": database} if database else {})


@contextmanager
def _process(folder: Path, name: str, arguments: Sequence[str], environ: dict[str, str]) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        command = [sys.executable, *arguments]
        process = subprocess.Popen(  # noqa: S603  (our own modules)
            command, env=environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(name: str, url: str, folder: Path) -> None:
    deadline = time.monotonic() + _START_S
    with httpx.Client(timeout=2) as http:
        while time.monotonic() < deadline:
            try:
                if http.get(f"{url}/readyz").is_success:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.05)
    msg = f"{name} does not become ready; {folder}/{name}.log says why"
    raise NotHeld(msg)


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

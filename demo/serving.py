"""What both demo resource servers need to run: arguments, a verifier, uvicorn."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import uvicorn

from rescind.asgi import App
from rescind.verifier import Verifier


def serve(name: str, make_app: Callable[[Verifier], App]) -> None:
    """Run one resource server on loopback until it is told to stop."""
    parser = argparse.ArgumentParser(prog=f"python -m demo.{name}")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rescind", required=True, help="base URL of issuer and revocation service")
    parser.add_argument("--credential-file", type=Path, required=True, help="this verifier's credential for the feed")
    chosen = parser.parse_args()
    verifier = Verifier(
        issuers=chosen.rescind,
        audience="rescind",
        feed=chosen.rescind,
        credential=chosen.credential_file.read_text("utf-8").strip(),
        name=name,
    )
    uvicorn.run(make_app(verifier), host="127.0.0.1", port=chosen.port, log_level="warning", timeout_graceful_shutdown=2)

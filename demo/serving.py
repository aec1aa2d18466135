"""What both demo resource servers need to run: arguments, a verifier, uvicorn."""

from __future__ import annotations

import argparse
import ssl
from collections.abc import Callable
from pathlib import Path

import uvicorn

from rescind.asgi import App
from rescind.verifier import Verifier


def serve(name: str, make_app: Callable[[Verifier], App]) -> None:
    """Run one resource server until it is told to stop."""
    parser = argparse.ArgumentParser(prog=f"python -m demo.{name}")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls-cert", type=Path, help="certificate chain of the listener")
    parser.add_argument("--tls-key", type=Path, help="its private key")
    parser.add_argument("--rescind", required=True, help="the issuer's base URL, which is its iss")
    parser.add_argument("--feed", help="base URL of the revocation service, unless it is the same")
    parser.add_argument("--ca", type=Path, help="whom to trust with their certificates, unless the system does")
    parser.add_argument("--credential-file", type=Path, required=True, help="this verifier's credential for the feed")
    chosen = parser.parse_args()
    verifier = Verifier(
        issuers=chosen.rescind,
        audience="rescind",
        feed=chosen.feed or chosen.rescind,
        credential=chosen.credential_file.read_text("utf-8").strip(),
        name=name,
        tls=ssl.create_default_context(cafile=chosen.ca),
    )
    uvicorn.run(
        make_app(verifier),
        host=chosen.host,
        port=chosen.port,
        log_level="warning",
        timeout_graceful_shutdown=2,
        ssl_certfile=chosen.tls_cert,
        ssl_keyfile=chosen.tls_key,
    )

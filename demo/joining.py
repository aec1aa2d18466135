"""Makes the resource servers of a running cluster known to it, and writes down where the story plays.

`python -m demo.joining --help`. What is there already is left as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from demo.stage import Stage

CREDENTIAL = "credential"


def add_verifier(stage: Stage, name: str) -> str:
    """Register a verifier and give its credential."""
    with httpx.Client(timeout=10, verify=stage.tls) as http:
        asked = {"grant_type": "client_credentials", "scope": "verifiers:write"}
        answer = http.post(stage.url("/oauth/token"), data=asked, auth=(stage.client_id, stage.client_secret))
        token = answer.raise_for_status().json()["access_token"]
        made = http.post(stage.url("/v1/verifiers"), json={"name": name}, headers={"Authorization": f"Bearer {token}"})
        return str(made.raise_for_status().json()["credential"])


def write_private(path: Path, text: str) -> None:
    """Replace a file at once; nobody else can read it."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def main(argv: Sequence[str]) -> int:
    """Credentials into DIR/NAME of each API, `stage.json` and `ca.crt` into --stage."""
    parser = argparse.ArgumentParser(prog="python -m demo.joining", description=__doc__)
    parser.add_argument("--credentials", type=Path, required=True, help="folder of `python -m services bootstrap`")
    parser.add_argument("--stage", type=Path, required=True, help="folder for stage.json and ca.crt")
    parser.add_argument("--issuer", required=True, help="base URL")
    parser.add_argument("--revocation", required=True, help="base URL")
    parser.add_argument("--anomaly", required=True, help="base URL")
    parser.add_argument("--api", action="append", default=[], metavar="NAME=URL", help="a resource server; may be repeated")
    chosen = parser.parse_args(argv)
    apis = dict(each.split("=", 1) for each in chosen.api)
    ca = chosen.stage / "ca.crt"
    shutil.copyfile(chosen.credentials / next(iter(apis)) / "ca.crt", ca)
    admin = json.loads((chosen.credentials / "admin-client.json").read_text("utf-8"))
    secret = {"client_id": admin["client_id"], "client_secret": admin["client_secret"]}
    places = {"rescind": chosen.issuer, "revocation": chosen.revocation, "anomaly": chosen.anomaly}
    write_private(chosen.stage / "stage.json", json.dumps({**places, "apis": apis, "ca": str(ca), **secret}, indent=2) + "\n")
    stage = Stage.read(chosen.stage / "stage.json")
    for name in apis:
        credential = chosen.credentials / name / CREDENTIAL
        if not credential.exists():
            write_private(credential, add_verifier(stage, name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

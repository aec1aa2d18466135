"""The README's lines, run as they stand: only the port and the folder are the test's."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from kit.server_process import ROOT, server_process

SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def test_the_quick_start_does_what_it_says(tmp_path: Path) -> None:
    (script,) = SHELL.findall((ROOT / "README.md").read_text("utf-8"))
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o700)
    with server_process(tmp_path / "data") as server:
        said = subprocess.run(
            ["sh", "-eu", "-c", script.replace("http://127.0.0.1:8000", server.url)],
            cwd=tmp_path,
            env={**os.environ, "no_proxy": "*"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    before, revocation, after, log = map(json.loads, filter(None, said.stdout.splitlines()))
    assert len(before["sessions"]) == 1
    assert (revocation["reason"], revocation["target"]["type"]) == ("compromised", "subject")
    # It may still be lifted, so the session is suspended; for the moment until the issuer has heard of it, it is revoked.
    assert (after["code"], after.get("reason")) in {("session_suspended", None), ("token_not_valid", "session_revoked")}
    assert {"SubjectCreated", "TokenIssued"} <= {event["type"] for event in log["events"]}

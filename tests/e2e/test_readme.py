"""What the README tells a stranger to type, typed."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from kit.server_process import server_process

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_first_five_minutes(tmp_path: Path) -> None:
    block = re.search(r"```bash\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert block
    data = tmp_path / "data"
    with server_process(data) as server:
        typed = (
            block[1]
            .replace("http://127.0.0.1:8000", server.url)
            .replace("data/admin-client.json", str(data / "admin-client.json"))
        )
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", typed], cwd=README.parent, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    _, page, rest = done.stdout.partition('{"events":')
    told = json.loads(page + rest)
    assert {"ClientCreated", "SubjectCreated", "TokenIssued"} <= {event["type"] for event in told["events"]}

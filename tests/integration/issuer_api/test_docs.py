"""docs/http-api.md says what is served: its table is the code's, and its shell lines run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from kit.whole import whole

from rescind.vocabulary import Reason
from services.issuer.api.errors import TABLE

PAGE = (Path(__file__).parents[3] / "docs" / "http-api.md").read_text("utf-8")
OAUTH_ONLY = {"unsupported_token_type"}


def test_every_refusal_is_in_the_page() -> None:
    for problem in TABLE.values():
        if problem.code not in OAUTH_ONLY:
            assert f"`{problem.code}`" in PAGE
            assert str(problem.status) in PAGE
    for reason in Reason:
        assert f"`{reason}`" in PAGE


def test_every_endpoint_of_the_issuer_is_in_the_page(http: httpx.Client) -> None:
    for path, operations in http.get("/openapi.json").json()["paths"].items():
        if path in {"/livez", "/readyz", "/metrics"}:
            continue
        written = (
            re.escape(path)
            .replace(r"\{sid\}", r"(\$SID|\{sid\})")
            .replace(r"\{sub\}", r"\$SUB")
            .replace(r"\{client_id\}", r"\$SHOP_ID")
        )
        assert re.search(rf"{written}[\"`? ]", PAGE), path
        assert operations


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's lines use curl")
def test_the_shell_lines_run_as_they_are(tmp_path: Path) -> None:
    lines = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL))
    assert lines.count("$RESCIND/") > 20
    with whole(tmp_path) as service:
        environment = os.environ | {"RESCIND": service.url, "DATA": str(service.data)}
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"error"' not in ran.stdout
    assert '"active":true' in ran.stdout

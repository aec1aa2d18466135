"""Python in the docs runs. Making a Verifier starts nothing, so nothing here touches the network."""

import json
import re
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
JSON = re.compile(r"```json\n(.*?)```", re.DOTALL)


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_python_runs(page: Path) -> None:
    document = Sybil(parsers=[PythonCodeBlockParser()]).parse(page)
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_json_is_json(page: Path) -> None:
    for block in JSON.findall(page.read_text("utf-8")):
        json.loads(block)


def test_there_are_snippets_to_run() -> None:
    assert "```python" in (ROOT / "README.md").read_text("utf-8")

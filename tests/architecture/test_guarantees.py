"""docs/guarantees.md names the tests that hold each promise: they are there, in the file that is linked."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/guarantees.md"
ENTRY = re.compile(r"^- \[[^\]]+\]\((\.\./tests/[^)]+)\)(.*?)(?=^- |^#|\n\n)", re.MULTILINE | re.DOTALL)
NAMED = [(path, name) for path, words in ENTRY.findall(PAGE.read_text("utf-8")) for name in re.findall(r"`(test_\w+)`", words)]


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_exists(path: str, name: str) -> None:
    assert f"def {name}(" in (PAGE.parent / path).read_text("utf-8")


def test_every_promise_names_a_test() -> None:
    promises = PAGE.read_text("utf-8").split("## Not promised")[0].split("\n## ")[1:]
    assert len(promises) == 9
    assert not [each.splitlines()[0] for each in promises if "../tests/" not in each]
    assert len(NAMED) > 40

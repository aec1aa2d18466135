"""The lines of /readyz that the operator's page explains."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
_PLACES = {"NAME": r"\w+", "ISS": r"\S+", "N": r"\d+"}
_LOOP = re.compile(r"[\w ]+")  # "a loop's name"


def unexplained(lines: Iterable[str]) -> list[str]:
    """Those that a reader of the page would look for in vain."""
    return [line for line in lines if not _LOOP.fullmatch(line) and not any(each.fullmatch(line) for each in _patterns())]


@cache
def _patterns() -> list[re.Pattern[str]]:
    said = PAGE.read_text("utf-8").partition("### What /readyz says")[2].partition("\n### ")[0]
    rows = [row.split("|")[1] for row in said.splitlines() if row.startswith("| `")]
    return [re.compile(_pattern(line)) for row in rows for line in re.findall("`([^`]+)`", row)]


def _pattern(line: str) -> str:
    return " ".join(_PLACES.get(word, re.escape(word)) if not word.endswith(":") else _name(word) for word in line.split(" "))


def _name(word: str) -> str:
    return _PLACES.get(word[:-1], re.escape(word[:-1])) + ":"

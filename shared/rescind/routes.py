"""What each part of a site asks for, by path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Rule = Literal["strict", "best_effort", "open"]
"""`strict` and `best_effort` need a token and differ while the verifier is stale; `open` needs none."""


class Routes:
    """The longest prefix decides, by whole segments: `/open` is not `/opened`. An ambiguous path is never open."""

    def __init__(self, paths: Mapping[str, Rule], otherwise: Rule) -> None:
        for prefix, rule in paths.items():
            if not prefix.startswith("/") or rule not in {"strict", "best_effort", "open"}:
                raise ValueError("paths maps prefixes, which begin with a slash, to strict, best_effort or open")
        longest_first = sorted(paths.items(), key=lambda item: -len(item[0]))
        self._rules = [(prefix.rstrip("/"), rule) for prefix, rule in longest_first]
        self._otherwise: Rule = otherwise

    @property
    def rules(self) -> frozenset[Rule]:
        """All that occur."""
        return frozenset([self._otherwise, *(rule for _, rule in self._rules)])

    def rule(self, path: str) -> Rule:
        """Give the rule for a decoded path."""
        if "//" in path or "/." in path or "\\" in path:
            return self._otherwise
        for prefix, rule in self._rules:
            if path == prefix or path.startswith(f"{prefix}/"):
                return rule
        return self._otherwise

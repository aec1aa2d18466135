"""What the audience sees: chapters, steps with measured milliseconds, and what a terminal would show of the service."""

from __future__ import annotations

import os
import sys
from typing import TextIO

_BOLD, _DIM, _GREEN, _RED, _CYAN, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[31m", "\x1b[36m", "\x1b[0m"
_WIDTH = 96


class Screen:
    """Writes to a terminal, in colour where it is one and NO_COLOR is unset."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._colour = out.isatty() and "NO_COLOR" not in os.environ
        self._chapters = 0

    def title(self, text: str, *lines: str) -> None:
        """The head of the page."""
        self._line()
        self._line(f"  {self._in(_BOLD, text)}")
        for line in lines:
            self._line(f"  {self._in(_DIM, line)}")

    def chapter(self, text: str) -> None:
        """A new chapter."""
        self._chapters += 1
        self._line()
        self._line(f"{self._in(_CYAN, f'{self._chapters:>3}')}  {self._in(_BOLD, text)}")

    def step(self, text: str, ms: float | None = None) -> None:
        """A step that held, and how long it took."""
        took = "" if ms is None else f"{ms:>8.1f} ms"
        self._line(f"     {self._in(_GREEN, '✓')} {text:<{_WIDTH - 20}}{took}".rstrip())

    def failed(self, text: str) -> None:
        """The step that did not hold."""
        self._line(f"     {self._in(_RED, '✗')} {text}")

    def say(self, text: str) -> None:
        """A remark between steps."""
        self._line(f"       {self._in(_DIM, text)}")

    def command(self, text: str) -> None:
        """What one would type to see the same."""
        self._line(f"       {self._in(_DIM, '$')} {text}")

    def end(self, text: str, *, held: bool) -> None:
        """The last line."""
        self._line()
        self._line(f"  {self._in(_BOLD + (_GREEN if held else _RED), text)}")
        self._line()

    def _line(self, text: str = "") -> None:
        self._out.write(f"{text}\n")
        self._out.flush()

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colour else text

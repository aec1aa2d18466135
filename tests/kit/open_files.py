"""What this process holds open."""

from __future__ import annotations

from pathlib import Path


def open_files() -> int:
    """How many file descriptors; the one that the question takes does not count."""
    return sum(1 for _ in Path("/dev/fd").iterdir()) - 1

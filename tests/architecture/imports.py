"""Who imports what, read from the source."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN = ("services", "eventlog", "rescind")


@cache
def modules() -> Mapping[str, Path]:
    """Every module of ours by name."""
    found = {}
    for base in (ROOT, ROOT / "shared"):
        for package in OWN:
            for path in (base / package).rglob("*.py"):
                parts = path.relative_to(base).with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imported(module: str) -> frozenset[str]:
    """The modules that this one imports, by full name; those under `if TYPE_CHECKING` too."""
    return frozenset(_imported(ast.parse(modules()[module].read_text("utf-8"))))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (_module(node.module, alias.name) for alias in node.names)


def _module(module: str, name: str) -> str:
    return f"{module}.{name}" if f"{module}.{name}" in modules() else module


def reached(module: str) -> dict[str, str]:
    """Every outside module that this one reaches, with the module of ours that imports it."""
    outside: dict[str, str] = {}
    waiting, seen = [module], {module}
    while waiting:
        current = waiting.pop()
        for name in imported(current):
            if name in modules():
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
            else:
                outside[name] = current
    return outside

"""Rules about the code that a linter does not know."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for folder in ("services", "shared", "demo") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 40

LOG_FIELDS = {"finding", "loop", "method", "ms", "reason", "route", "status", "why", "witness"}
"""What a log line may carry. None of it is personal or secret, and none is free text from outside."""

SECRET_WORDS = {"token", "password", "secret", "credential", "username", "ip", "user_agent", "device", "cookie", "authorization"}
LOGGING = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path.relative_to(ROOT)))


def _where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in [*SOURCES, *TESTS]}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_FILE}


def test_functions_are_short() -> None:
    long = [
        _where(path, node)
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _own_length(node) > _allowed(path)
    ]
    assert not long


def _allowed(path: Path) -> int:
    """A composition root is a list of what gets what, a migration one of columns: both read best in one piece."""
    listing = path.stem in {"wiring", "service"} or path.parent.name == "versions"
    return 2 * LONGEST_FUNCTION if listing else LONGEST_FUNCTION


def _own_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Without the functions inside it: a router is a list of small ones."""
    inner = [
        node for node in ast.walk(function) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node is not function
    ]
    lines = set(range(function.lineno, (function.end_lineno or 0) + 1))
    for node in inner:
        lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def test_only_the_main_module_reads_the_environment() -> None:
    readers = {path.relative_to(ROOT).as_posix() for path in SOURCES if _reads_environment(_tree(path))}
    assert {name for name in readers if not name.startswith("demo/")} == {"services/__main__.py"}


def _reads_environment(tree: ast.Module) -> bool:
    return any(
        ast.unparse(node) in {"os.environ", "os.getenv"} for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    ) or any(
        alias.name in {"environ", "getenv"} for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    )


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "base", "misc", "manager"])
def test_no_file_is_named_after_nothing(word: str) -> None:
    assert not [path for path in SOURCES if word in path.stem.split("_")]


def _log_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"), attr=attr)) if attr in LOGGING:
                yield node


def test_a_log_line_is_a_constant_and_known_fields() -> None:
    """The SDK logs in other people's processes, in the usual style; `test_no_message_quotes_a_secret` looks at it."""
    own = [path for path in SOURCES if not path.is_relative_to(ROOT / "shared/rescind")]
    assert not [_where(path, call) for path in own for call in _log_calls(_tree(path)) if not _is_plain(call)]


def _is_plain(call: ast.Call) -> bool:
    leveled = isinstance(call.func, ast.Attribute) and call.func.attr == "log"
    positional = call.args[1:] if leveled else call.args
    constant = len(positional) == 1 and isinstance(positional[0], ast.Constant)
    return constant and all(keyword.arg == "extra" and _known_fields(keyword.value) for keyword in call.keywords)


def _known_fields(extra: ast.expr) -> bool:
    names = [
        key.value for node in ast.walk(extra) if isinstance(node, ast.Dict) for key in node.keys if isinstance(key, ast.Constant)
    ]
    return set(names) <= LOG_FIELDS | {"fields"}


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ('logger.info("loop died", extra={"fields": {"loop": name}})', True),
        ('logger.log(level, "request", extra={"fields": fields})', True),
        ('logger.info(f"signed in {username}")', False),
        ('logger.info("signed in %s", username)', False),
        ('logger.info("signed in", extra={"fields": {"username": username}})', False),
        ('logger.warning("failed", exc_info=True)', False),
    ],
)
def test_the_rule_about_logs_sees_what_it_should(line: str, plain: bool) -> None:
    (call,) = _log_calls(ast.parse(line))
    assert _is_plain(call) is plain


def test_nothing_prints_but_commands() -> None:
    printing = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert not {name for name in printing if not name.startswith("demo/")} - {
        "services/__main__.py",
        "services/verify_log.py",
        "shared/rescind/cli.py",
    }


def test_no_message_quotes_a_secret() -> None:
    """An exception's text and a log's text end up in places that others read."""
    quoting = [_where(path, node) for path in SOURCES for node in ast.walk(_tree(path)) if _quotes_secret(node)]
    assert not quoting


def _quotes_secret(node: ast.AST) -> bool:
    match node:
        case ast.Raise(exc=ast.Call() as call) | ast.Assign(targets=[ast.Name(id="msg")], value=call):
            shown = [inner.value for inner in ast.walk(call) if isinstance(inner, ast.FormattedValue)]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="logger")), args=[_, *shown]):
            pass
        case _:
            return False
    return any(_last_name(value) in SECRET_WORDS for value in shown)


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


@pytest.mark.parametrize(
    ("line", "quotes"),
    [
        ('raise Refused(f"no {token}")', True),
        ('msg = f"unknown name {login.username}"', True),
        ('logger.info("no %s", token)', True),
        ('raise Refused(f"unknown {kid}")', False),
        ('msg = "the token is malformed"', False),
    ],
)
def test_the_rule_about_messages_sees_what_it_should(line: str, quotes: bool) -> None:
    assert any(_quotes_secret(node) for node in ast.walk(ast.parse(line))) is quotes

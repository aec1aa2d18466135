"""deploy/prometheus/rules.yml names metrics that exist, and docs/operations.md explains each metric and each alert."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operations.md").read_text("utf-8")
GROUPS: Any = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))["groups"]
RULES = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
NAME = re.compile(r"\brescind_[a-z_]+")


def _first_text(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _calls(folder: str) -> Iterator[tuple[str, str]]:
    """(function, its first argument) of every call."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id, _first_text(node)


GAUGES = {f"rescind_{name}" for function, name in _calls("services") if function == "Measure" and name}
COUNTED = {name for function, name in _calls("services") if function in {"Counter", "Histogram"} and name}
SDK = {name for function, name in _calls("shared/rescind") if function in {"_metric", "_head"} and name}
KNOWN = GAUGES | COUNTED | SDK


def unknown(expression: str) -> set[str]:
    """The metrics of an expression that nothing serves."""
    return {name for name in NAME.findall(expression) if re.sub(r"_(bucket|count|sum)$", "", name) not in KNOWN}


def test_the_metrics_are_found() -> None:
    assert {"rescind_source_age_seconds", "rescind_loop_alive"} <= GAUGES
    assert {"rescind_http_requests_total", "rescind_http_seconds"} == COUNTED
    assert "rescind_staleness_seconds" in SDK


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_asks_for_metrics_that_exist(alert: str) -> None:
    assert not unknown(RULES[alert]["expr"])


def test_control_a_misspelt_metric_is_seen() -> None:
    assert unknown("max(rescind_source_age_second) > 5") == {"rescind_source_age_second"}


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_says_what_is_wrong_and_is_explained(alert: str) -> None:
    assert RULES[alert]["annotations"]["summary"]
    assert RULES[alert]["labels"]["severity"] in {"page", "ticket"}
    assert f"`{alert}`" in PAGE


@pytest.mark.parametrize("metric", sorted(GAUGES | COUNTED))
def test_a_metric_of_the_services_is_explained(metric: str) -> None:
    assert f"`{metric}`" in PAGE


def test_no_metric_is_explained_that_nobody_serves() -> None:
    assert not unknown(PAGE)

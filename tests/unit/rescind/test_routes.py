from __future__ import annotations

import pytest

from rescind.routes import Routes, Rule

ROUTES = Routes({"/": "strict", "/open": "open", "/open/not": "strict", "/soft/": "best_effort"}, "strict")


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/", "strict"),
        ("/anything", "strict"),
        ("/open", "open"),
        ("/open/", "open"),
        ("/open/below", "open"),
        ("/opened", "strict"),
        ("/open/not", "strict"),
        ("/open/not/below", "strict"),
        ("/open/nothing", "open"),
        ("/soft", "best_effort"),
        ("/soft/below", "best_effort"),
        ("/OPEN", "strict"),
        ("/open/../secret", "strict"),
        ("/open/./x", "strict"),
        ("//open", "strict"),
        ("/open//x", "strict"),
        ("/open\\..\\secret", "strict"),
        ("", "strict"),
    ],
)
def test_the_longest_prefix_of_whole_segments_decides(path: str, rule: Rule) -> None:
    assert ROUTES.rule(path) == rule


def test_without_prefixes_the_default_counts() -> None:
    assert Routes({}, "best_effort").rule("/x") == "best_effort"
    assert Routes({"/": "open"}, "strict").rule("/x") == "open"


def test_all_rules_are_known() -> None:
    assert ROUTES.rules == {"strict", "open", "best_effort"}


@pytest.mark.parametrize("paths", [{"open": "open"}, {"/x": "lenient"}])
def test_a_rule_that_makes_no_sense_is_refused(paths: dict[str, Rule]) -> None:
    with pytest.raises(ValueError, match="paths"):
        Routes(paths, "strict")

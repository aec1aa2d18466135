"""Which code may know what. Each rule names modules that exist, so that none outlives what it is about."""

import ast
import fnmatch
from collections.abc import Mapping

import pytest
from architecture.imports import imported, modules, reached

DOORS: Mapping[str, tuple[str, ...]] = {
    "alembic": ("services.migrating", "services.*.migrations.versions.*"),
    "argon2": ("services.issuer.passwords", "services.issuer.wiring"),
    "httpx": ("services.roads.wire",),
    "kafka": (
        "eventlog.kafka.connecting",
        "eventlog.kafka.consumer",
        "eventlog.kafka.dialing",
        "eventlog.kafka.partitioning",
        "eventlog.kafka.producer",
        "eventlog.kafka.topics",
    ),
    "limits": ("services.issuer.api.throttling",),
    "maxminddb": ("services.issuer.networks", "services.cluster.issuer", "services.wiring"),
    "opentelemetry": ("services.tracing", "services.application", "services.wiring"),
    "prometheus_client": ("services.metrics",),
    "ua_parser": ("services.issuer.user_agents",),
    "uvicorn": ("services.server",),
    "pydantic": ("services.*.api", "services.*.api.*", "services.described"),
    "fastapi": ("services.*.api", "services.*.api.*", "services.*", "services.cluster.*", "rescind.fastapi"),
    "sqlalchemy": (
        "eventlog.sql.*",
        "services.*.rows",
        "services.*.*_rows",
        "services.*.store",
        "services.*.*_store",
        "services.*.tables",
        "services.*.sql.*",
        "services.*.wiring",
        "services.*.service",
        "services.wiring",
        "services.cluster.*",
        "services.migrating",
        "services.*.migrations.versions.*",
        "services.revocation.intake",
        "services.revocation.making",
        "services.revocation.projector",
        "services.revocation.tending",
        "services.revocation.topic_road",
        "services.revocation.verifiers",
    ),
}
"""Library -> the modules through which it comes in."""

PURE = (
    "eventlog.chain",
    "eventlog.kafka.places",
    "rescind.changes",
    "rescind.claims",
    "rescind.events.registry",
    "rescind.frames",
    "rescind.jose",
    "rescind.revocations",
    "rescind.snapshots",
    "rescind.verdicts",
    "services.anomaly.detector",
    "services.anomaly.folding",
    "services.anomaly.policy",
    *sorted(name for name in modules() if ".decisions." in name or ".scoring." in name),
)
"""What decides: it is given the time and ids, and returns values."""

OUTSIDE_WORLD = frozenset(
    [
        "argon2",
        "asyncio",
        "concurrent",
        "fastapi",
        "http",
        "httpx",
        "limits",
        "logging",
        "maxminddb",
        "opentelemetry",
        "os",
        "pathlib",
        "prometheus_client",
        "psycopg",
        "pydantic",
        "queue",
        "random",
        "secrets",
        "socket",
        "sqlalchemy",
        "ssl",
        "starlette",
        "subprocess",
        "threading",
        "time",
        "ua_parser",
        "urllib.request",
        "uvicorn",
        "uuid",
    ]
)

COMPOSERS = {
    "open_engine": ("services.wiring", "services.cluster.wiring"),
    "SqlLog": ("services.wiring", "services.*.wiring", "services.*.service"),
}
"""Who opens databases and logs. `services.wiring` itself is imported by the commands alone."""


def _top(name: str) -> str:
    return name if name in OUTSIDE_WORLD else name.partition(".")[0]


@pytest.mark.parametrize("library", DOORS)
def test_a_library_comes_in_by_its_doors(library: str) -> None:
    importers = {name for name in modules() if any(_top(each) == library for each in imported(name))}
    assert not {name for name in importers if not any(_fits(name, door) for door in DOORS[library])}
    assert importers, "nobody imports it: remove the rule"


def _fits(name: str, door: str) -> bool:
    """`*` is one part of the name."""
    parts, wanted = name.split("."), door.split(".")
    return len(parts) == len(wanted) and all(fnmatch.fnmatchcase(part, want) for part, want in zip(parts, wanted, strict=True))


@pytest.mark.parametrize("module", PURE)
def test_what_decides_touches_nothing(module: str) -> None:
    assert module in modules(), "it is gone: correct the rule"
    assert not {name: by for name, by in reached(module).items() if _top(name) in OUTSIDE_WORLD}


def test_the_rule_about_touching_sees_the_whole_way() -> None:
    assert "sqlalchemy" in {_top(name) for name in reached("services.issuer.sql.store")}
    assert reached("services.issuer.sql.store")["sqlalchemy"] != "services.issuer.sql.store"


@pytest.mark.parametrize("opener", COMPOSERS)
def test_only_composition_roots_open_databases(opener: str) -> None:
    opening = {name for name, path in modules().items() if opener in _calls(ast.parse(path.read_text("utf-8")))}
    assert not {name for name in opening if not any(_fits(name, root) for root in COMPOSERS[opener])}
    assert opening, "nobody calls it: correct the rule"


def test_only_commands_know_the_composition_root() -> None:
    assert {name for name in modules() if "services.wiring" in imported(name)} == {"services.__main__", "services.verify_log"}


def _calls(tree: ast.Module) -> set[str]:
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

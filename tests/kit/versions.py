"""Another version of the services: a copy of their code with changes, to be run beside ours (`Role.tree`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kit.cluster import ROOT, Cluster, Role

NEW_EVENT = {
    "shared/rescind/events/session.py": [('"session.revoked.v1"', '"session.revoked.v2"')],
    "shared/rescind/events/upcasting.py": [
        ("UPCASTERS: Mapping[str, Upcaster] = {}", 'UPCASTERS = {"session.revoked.v1": Upcaster("session.revoked.v2", dict)}')
    ],
}
"""Ends of sessions are written in a way that no earlier version knows; the earlier one is still read."""

SKIPPING = {
    "shared/rescind/events/registry.py": [("return wire in LIST_TYPES or wire not in EVENTS", "return wire in LIST_TYPES")],
}
"""The broken variant: what is not known is passed by."""

Changes = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class Version:
    """`changes`: by file, what stands there and what stands there instead. `migrations`: by room, what is done after ours."""

    tree: Path
    changes: Changes = field(default_factory=dict)
    migrations: Mapping[str, str] = field(default_factory=dict)

    def write(self) -> Version:
        """Copy the code and change it."""
        for name in ("services", "shared"):
            shutil.copytree(ROOT / name, self.tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name, pairs in self.changes.items():
            path = self.tree / name
            code = path.read_text("utf-8")
            for old, new in pairs:
                assert code.count(old) == 1, f"{name} has changed: {old}"
                code = code.replace(old, new)
            path.write_text(code, "utf-8")
        for room, steps in self.migrations.items():
            folder = self.tree / "services" / room / "migrations" / "versions"
            latest = max(path.stem.partition("_")[0] for path in folder.glob("[0-9]*.py"))
            (folder / "9999_test.py").write_text(_MIGRATION.format(latest=latest, steps=steps), "utf-8")
        return self

    def of(self, role: Role) -> Role:
        """The same service in this version; it has the same port, so that one of the two runs."""
        log = role.log.with_name(f"{self.tree.name}-{role.name}.log")
        return replace(role, tree=self.tree, environ={**role.environ, **self._path}, log=log, process=None)

    def bootstrap(self, made: Cluster) -> subprocess.CompletedProcess[str]:
        """This version's own."""
        command = [sys.executable, "-m", "services", "bootstrap", *made.bootstrap_options]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RESCIND_")}
        environ = {**kept, **made.environ, **self._path}
        return subprocess.run(command, env=environ, cwd=self.tree, capture_output=True, text=True, timeout=120, check=False)

    @property
    def _path(self) -> Mapping[str, str]:
        return {"PYTHONPATH": os.pathsep.join([str(self.tree), str(self.tree / "shared")])}


_MIGRATION = """import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{latest}"


def upgrade() -> None:
    {steps}
"""

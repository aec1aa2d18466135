"""`python -m services bootstrap`: once, under a lock, and again where it was killed in the middle."""

from __future__ import annotations

import json
import ssl
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from kit.server_process import ROOT, run
from kit.waiting import until
from sqlalchemy import create_engine, text

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]
SERVICES = ("issuer", "relay", "revocation", "anomaly")
_KILLED = -9


@dataclass(frozen=True)
class Installation:
    """What bootstrap is given, and what it left."""

    folder: Path
    database: str

    @property
    def argv(self) -> Sequence[str]:
        certificates = [f"--certificate={name}" for name in SERVICES]
        return ["bootstrap", "--credentials", str(self.folder), "--issuer", "https://issuer.example", *certificates]

    def begin(self) -> subprocess.Popen[str]:
        environ = {"RESCIND_DATABASE": self.database}
        command = [sys.executable, "-m", "services", *self.argv]
        return subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def make(self) -> subprocess.CompletedProcess[str]:
        return run(*self.argv, environ={"RESCIND_DATABASE": self.database})

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def secrets(self) -> Sequence[str]:
        told = [json.loads(content) for name, content in self.files().items() if name.endswith(".json")]
        fields = ("client_secret", "verifier", "password")
        found = [each[field] for each in told for field in fields if each.get(field)]
        return [*found, *(key for each in told for key in each.get("keys", {}).values())]

    def clients(self) -> dict[str, int]:
        engine = create_engine(self.database)
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT name, count(*) FROM issuer.clients GROUP BY name")).all()
        engine.dispose()
        return {row[0]: row[1] for row in rows}

    def assert_whole(self) -> None:
        """Everything is there, fits together, belongs to its user alone, and stays when bootstrap runs again."""
        files = self.files()
        expected = {f"{name}/{kind}" for name in SERVICES for kind in ("credential.json", "tls.crt", "tls.key", "ca.crt")}
        assert files.keys() >= {"master.key", "admin-client.json", "ca/ca.crt", "ca/ca.key", *expected}
        for name in SERVICES:
            ssl.create_default_context().load_cert_chain(self.folder / name / "tls.crt", self.folder / name / "tls.key")
            assert files[f"{name}/ca.crt"] == files["ca/ca.crt"]
        found = [self.folder, *self.folder.rglob("*")]
        assert {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in found} == {(True, 0o700), (False, 0o600)}
        again = self.make()
        assert again.returncode == 0, again.stderr
        assert self.files() == files


@pytest.fixture
def installation(tmp_path: Path, postgres_database: str) -> Installation:
    return Installation(tmp_path / "credentials", postgres_database)


def test_it_prints_no_secret_and_a_second_run_changes_nothing(installation: Installation) -> None:
    done = installation.make()
    assert done.returncode == 0, done.stderr
    installation.assert_whole()
    secrets = installation.secrets()
    assert len(secrets) >= 10  # the control: there are some to be found
    assert not [secret for secret in secrets if secret in done.stdout + done.stderr]


def test_two_at_once_make_one_installation(installation: Installation) -> None:
    both = [installation.begin(), installation.begin()]
    assert [each.communicate()[0] and each.returncode for each in both] == [0, 0]
    installation.assert_whole()
    assert set(installation.clients().values()) == {1}, "nobody was registered twice"


def test_another_folder_cannot_take_the_database_over(installation: Installation, tmp_path: Path) -> None:
    """Both at once: one of them is first, and the other one's master key is not this database's."""
    other = Installation(tmp_path / "elsewhere", installation.database)
    both = [installation.begin(), other.begin()]
    said = {each.communicate()[0]: each.returncode for each in both}
    assert sorted(said.values()) == [0, 1], said
    assert "The master key does not open this database" in next(words for words, status in said.items() if status)
    (installation if both[0].returncode == 0 else other).assert_whole()
    assert set(installation.clients().values()) == {1}


def test_killed_at_any_moment_it_is_completed_by_the_next(installation: Installation) -> None:
    steps = ["ca/ca.key", "issuer/tls.key", "master.key", ".first-start", "admin-client.json", "issuer/credential.json"]
    for step in steps:
        half = installation.begin()
        until(lambda half=half, step=step: (installation.folder / step).exists() or half.poll() is not None, timeout=60)  # type: ignore[misc]
        half.kill()
        half.communicate()
        assert half.returncode == _KILLED, "it was in the middle"
    last = installation.make()
    assert last.returncode == 0, last.stderr
    installation.assert_whole()


@pytest.mark.parametrize("lost", ["ca/ca.key", "master.key"])
def test_a_key_that_is_gone_is_asked_for_and_not_made_anew(installation: Installation, lost: str) -> None:
    assert installation.make().returncode == 0
    (installation.folder / lost).unlink()
    done = installation.make()
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("rescind: ")
    assert Path(lost).name in line or "master key" in line


def test_without_a_database_and_without_a_name_it_says_so(tmp_path: Path, postgres_database: str) -> None:
    asked = ["bootstrap", "--credentials", str(tmp_path / "credentials")]
    nowhere = run(*asked, "--issuer", "https://issuer.example")
    away = run(*asked, environ={"RESCIND_DATABASE": "postgresql+psycopg://rescind:hunter2@127.0.0.1:9/rescind"})
    nameless = run(*asked, environ={"RESCIND_DATABASE": postgres_database})
    assert [each.returncode for each in (nowhere, away, nameless)] == [1, 1, 1]
    assert "--database is missing" in nowhere.stderr
    assert "The database cannot be used" in away.stderr
    assert "--issuer is missing" in nameless.stderr
    assert "hunter2" not in away.stderr

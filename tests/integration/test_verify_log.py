"""`verify-log` over a real installation, sound and tampered with."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from kit.server_process import run, server_process


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a server that ran and stopped, with signed checkpoints of its logs."""
    data = tmp_path_factory.mktemp("verify") / "data"
    with server_process(data) as server:
        told = server.credentials()
        person = {"username": told["username"], "password": told["password"]}
        pair = httpx.post(f"{server.url}/api/token/", json=person).json()
        assert httpx.post(f"{server.url}/api/token/logout/", json={"refresh": pair["refresh"]}).status_code == 204
        assert server.stop() == 0
    return data


def _copy(installation: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(installation, tmp_path / "data"))


def _verify(data: Path) -> tuple[int, str]:
    done = run("verify-log", "--data", str(data))
    assert not done.stderr
    return done.returncode, done.stdout


def test_a_sound_installation(installation: Path, tmp_path: Path) -> None:
    status, said = _verify(_copy(installation, tmp_path))
    issuer, revocation = said.splitlines()
    assert status == 0
    assert issuer.startswith("issuer: sound, ")
    assert revocation.startswith("revocation: sound, ")
    assert "proven up to 1." in issuer


def _change(database: sqlite3.Connection) -> None:
    database.execute("UPDATE events SET data = '{}' WHERE seq = 3")


def _remove(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM events WHERE seq = 3")


def _reorder(database: sqlite3.Connection) -> None:
    database.execute("UPDATE events SET seq = -3 WHERE seq = 3")
    database.execute("UPDATE events SET seq = 3 WHERE seq = 4")
    database.execute("UPDATE events SET seq = 4 WHERE seq = -3")


def _truncate(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM events WHERE seq >= 3")
    (hash_,) = database.execute("SELECT hash FROM events WHERE seq = 2").fetchone()
    database.execute("UPDATE log_head SET seq = 2, hash = ?", (hash_,))


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_change, "row 1.3 was changed"),
        (_remove, "row 1.3 was removed"),
        (_reorder, "row 1.3 was moved or doubled"),
        (_truncate, "the log was cut: row 1.3 and all later ones are missing"),
    ],
)
def test_tampering_is_named(installation: Path, tmp_path: Path, tamper: Callable[[sqlite3.Connection], None], words: str) -> None:
    data = _copy(installation, tmp_path)
    with sqlite3.connect(data / "issuer.db") as database:
        tamper(database)
    database.close()
    status, said = _verify(data)
    assert status == 1
    assert words in said.splitlines()[0]
    assert "revocation: sound" in said


def test_a_cut_log_is_sound_to_whoever_has_no_checkpoints(installation: Path, tmp_path: Path) -> None:
    """Why the checkpoints are kept elsewhere."""
    data = _copy(installation, tmp_path)
    with sqlite3.connect(data / "issuer.db") as database:
        _truncate(database)
    database.close()
    shutil.rmtree(data / "checkpoints")
    status, said = _verify(data)
    assert status == 0
    assert "no checkpoint to prove it by" in said


def test_another_key_and_a_forged_checkpoint_prove_nothing(installation: Path, tmp_path: Path) -> None:
    data = _copy(installation, tmp_path)
    (data / "master.key").write_text("ab" * 32)
    status, said = _verify(data)
    assert status == 1
    assert "no valid signature" in said


def test_checkpoints_that_cannot_be_read_are_one_line(installation: Path, tmp_path: Path) -> None:
    data = _copy(installation, tmp_path)
    (data / "checkpoints" / "issuer.jsonl").write_text("nonsense\n")
    done = run("verify-log", "--data", str(data))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "line 1 is no checkpoint" in done.stderr


@pytest.mark.parametrize("missing", ["issuer.db", "revocation.db"])
def test_a_folder_without_a_log_is_one_line_and_stays_as_it_is(installation: Path, tmp_path: Path, missing: str) -> None:
    data = _copy(installation, tmp_path)
    (data / missing).unlink()
    done = run("verify-log", "--data", str(data))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert f"There is no log of the {missing.removesuffix('.db')} here" in done.stderr
    assert not (data / missing).exists()


def test_nothing_to_verify_is_one_line_and_nothing_is_made(tmp_path: Path) -> None:
    done = run("verify-log", "--data", str(tmp_path / "nowhere"))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "--data" in done.stderr
    assert not (tmp_path / "nowhere").exists()

"""`python -m services` as an operator meets it: what it says, and with which status it ends."""

import json
import socket
import stat
from pathlib import Path

import httpx
import pytest
from kit.certificates import tls
from kit.server_process import run, server_process

from services.settings import OPTIONS


def _said(*argv: str, environ: dict[str, str] | None = None) -> tuple[int, str]:
    done = run(*argv, environ=environ)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip()


def test_help_names_every_setting_with_its_variable() -> None:
    said = run("all", "--help")
    words = " ".join(said.stdout.split())
    assert said.returncode == 0
    assert not [option.flag for option in OPTIONS if option.flag not in words or option.variable not in words]
    assert run("--help").stdout.startswith("usage: python -m services COMMAND")


@pytest.mark.parametrize(
    ("argv", "environ", "words"),
    [
        (["all", "--port", "eighty"], {}, "--port must be a whole number"),
        (["all", "--access-tll", "60"], {}, "--access-tll"),
        (["all"], {"RESCIND_ACCESS_TLL": "60"}, "Unknown variable RESCIND_ACCESS_TLL"),
        (["everything"], {}, "there is no command everything. There are: all, verify-log, bootstrap,"),
    ],
)
def test_a_bad_setting_is_one_line_and_status_2(argv: list[str], environ: dict[str, str], words: str) -> None:
    status, said = _said(*argv, environ=environ)
    assert (status, len(said.splitlines())) == (2, 1)
    assert words in said


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = _said("all", "--data", str(tmp_path / "data"), "--port", str(port))
    assert (status, len(said.splitlines())) == (1, 1)
    assert f"port {port}: Address already in use" in said


def test_a_database_that_does_not_answer_is_one_line_without_its_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    url = f"postgresql://rescind:hunter2@127.0.0.1:{port}/rescind"
    status, said = _said("all", "--data", str(tmp_path / "data"), "--port", "0", environ={"RESCIND_DATABASE": url})
    assert (status, len(said.splitlines())) == (1, 1)
    assert "Check --database" in said
    assert "hunter2" not in said


def test_a_database_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "issuer.db").write_bytes(b"this is no database, and long enough to be looked at " * 50)
    key = tmp_path / "master.key"
    key.write_text("00" * 32)
    key.chmod(0o600)
    status, said = _said("all", "--data", str(tmp_path), "--port", "0")
    assert (status, len(said.splitlines())) == (1, 1), said


@pytest.mark.parametrize("name", ["file", "asn"])
def test_a_path_that_is_of_no_use_is_one_line(tmp_path: Path, name: str) -> None:
    wrong = tmp_path / "file"
    wrong.write_text("")
    asked = {"file": ["--data", str(wrong)], "asn": ["--data", str(tmp_path / "data"), "--asn-database", str(wrong)]}
    status, said = _said("all", "--port", "0", *asked[name])
    assert (status, len(said.splitlines())) == (1, 1)
    assert str(wrong) in said


def test_a_start_tells_its_credentials_once_and_a_stop_is_calm(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with server_process(data) as server:
        told = server.credentials()
        assert set(told) == {"client_id", "client_secret", "username", "password"}
        assert httpx.get(f"{server.url}/livez").json() == {"live": True}
        assert server.stop() == 0
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in [data, *data.rglob("*")]} == {0}
    with server_process(data) as server:
        assert server.credentials() == told
        client = (told["client_id"], told["client_secret"])
        answer = httpx.post(f"{server.url}/oauth/token", auth=client, data={"grant_type": "client_credentials"})
        assert answer.json()["scope"] == "admin"
        signed_in = httpx.post(f"{server.url}/api/token/", json={"username": told["username"], "password": told["password"]})
        assert signed_in.status_code == 200
        (data / "admin-client.json").unlink()
        server.stop()
    with server_process(data):
        assert not (data / "admin-client.json").exists()


def test_a_first_start_that_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with server_process(data) as server:
        server.kill()
    (data / "admin-client.json").unlink()
    (data / ".first-start").touch()
    with server_process(data) as server:
        told = server.credentials()
        signed_in = httpx.post(f"{server.url}/api/token/", json={"username": told["username"], "password": told["password"]})
        assert (told["username"] == "admin", signed_in.status_code) == (False, 200)
    assert not (data / ".first-start").exists()


def test_every_log_line_is_json(tmp_path: Path) -> None:
    with server_process(tmp_path / "data", "--log-level", "debug") as server:
        httpx.get(f"{server.url}/nowhere?token=hunter2")
        server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert any(line["message"] == "request" and line["route"] == "unknown" for line in lines)
    assert "hunter2" not in server.log.read_text()


def test_the_issuers_name_stays_when_the_address_changes(tmp_path: Path) -> None:
    data, metadata = tmp_path / "data", ".well-known/oauth-authorization-server"
    with server_process(data) as server:
        first = httpx.get(f"{server.url}/{metadata}").json()["issuer"]
        assert first == server.url
        server.stop()
    with server_process(data) as server:
        assert httpx.get(f"{server.url}/{metadata}").json()["issuer"] == first
        server.stop()
    status, said = _said("all", "--data", str(data), "--port", "0", "--issuer", "https://auth.example.com")
    assert (status, len(said.splitlines())) == (1, 1)
    assert first in said
    assert "leave --issuer out" in said


def test_the_listener_speaks_tls(tmp_path: Path) -> None:
    _, trusting = tls(tmp_path)
    files = ["--tls-cert", str(tmp_path / "certificate.pem"), "--tls-key", str(tmp_path / "key.pem")]
    with server_process(tmp_path / "data", *files) as server:
        assert server.url.startswith("https://127.0.0.1:")
        assert httpx.get(f"{server.url}/livez", verify=trusting).json() == {"live": True}
        assert server.stop() == 0

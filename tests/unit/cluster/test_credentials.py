"""What bootstrap writes for a service, and its certificates."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from services.cluster.certificates import Authority
from services.cluster.credential import Credential, read_credential, write_credential
from services.runtime import CannotStart

NOW = 1_790_000_000_000
YEAR = 365 * 86_400_000


def credential() -> Credential:
    return Credential(iss="https://a.example", client_id="c", client_secret="hunter2", keys={"marks": b"k" * 32}, verifier="v")


def test_a_credential_is_read_back_and_is_this_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "relay" / "credential.json"
    write_credential(path, credential())
    assert read_credential(path) == credential()
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert "hunter2" not in repr(credential())


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"iss": "x", "client_id": "c", "client_secret": "hunter2", "keys": {"a": "zz"}}']
)
def test_what_is_no_credential_is_said_without_quoting_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "credential.json"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(CannotStart, match="run bootstrap again") as caught:
        read_credential(path)
    assert "hunter2" not in str(caught.value)


def test_a_credential_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "credential.json"
    write_credential(path, credential())
    path.chmod(0o640)
    with pytest.raises(CannotStart, match="chmod 600"):
        read_credential(path)


@pytest.mark.parametrize("path", [None, Path("/nonexistent/credential.json")])
def test_a_credential_that_is_missing_is_waited_for(path: Path | None) -> None:
    with pytest.raises(CannotStart, match=r"--credential|bootstrap"):
        read_credential(path)


def verified(folder: Path, host: str, *, now: int = NOW) -> bool:
    ca = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    leaf = x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes())
    at = leaf.not_valid_before_utc if now == NOW else leaf.not_valid_after_utc
    builder = PolicyBuilder().store(Store([ca])).time(at.replace(tzinfo=None))
    try:
        builder.build_server_verifier(x509.DNSName(host)).verify(leaf, [])
    except VerificationError:
        return False
    return True


def test_a_certificate_is_good_for_its_names_and_no_other(tmp_path: Path) -> None:
    Authority(tmp_path / "ca", NOW).issue(tmp_path / "issuer", ["issuer", "localhost", "127.0.0.1", "auth.example.com"])
    assert [verified(tmp_path / "issuer", host) for host in ("issuer", "auth.example.com", "relay")] == [True, True, False]
    assert stat.S_IMODE((tmp_path / "issuer" / "tls.key").stat().st_mode) == 0o600


def test_a_good_certificate_stays_and_one_that_ends_or_lacks_a_name_is_renewed(tmp_path: Path) -> None:
    folder = tmp_path / "issuer"

    def issue(hosts: list[str], now: int) -> bytes:
        Authority(tmp_path / "ca", now).issue(folder, hosts)
        return (folder / "tls.crt").read_bytes()

    first = issue(["issuer"], NOW)
    assert issue(["issuer"], NOW + 1000) == first
    more = issue(["issuer", "auth.example.com"], NOW + 1000)
    assert more != first
    assert issue(["issuer", "auth.example.com"], NOW + YEAR) != more
    assert verified(folder, "auth.example.com")


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    """The control: two installations do not trust each other."""
    Authority(tmp_path / "ca", NOW).issue(tmp_path / "issuer", ["issuer"])
    Authority(tmp_path / "other-ca", NOW).issue(tmp_path / "other", ["issuer"])
    (tmp_path / "issuer" / "ca.crt").write_bytes((tmp_path / "other" / "ca.crt").read_bytes())
    assert not verified(tmp_path / "issuer", "issuer")

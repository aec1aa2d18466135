"""Certificates for the services of one installation, from a CA that bootstrap makes. Its key stays in its own folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.data_folder import write_private
from services.runtime import CannotStart

_CA_LIFE = timedelta(days=3650)
_LIFE = timedelta(days=397)
_RENEW = timedelta(days=60)  # before its end, where bootstrap runs again
_EARLIER = timedelta(minutes=5)  # for clocks that are behind

Key = ec.EllipticCurvePrivateKey


class Authority:
    """The CA in `folder`, made where there is none. `now` in milliseconds."""

    def __init__(self, folder: Path, now: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._now = datetime.fromtimestamp(now / 1000, UTC)
        crt, key = folder / "ca.crt", folder / "ca.key"
        if not crt.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            write_private(key, _pem(made))
            write_private(crt, self._root(made).public_bytes(Encoding.PEM))
        self._cert = x509.load_pem_x509_certificate(crt.read_bytes())
        self._key = _read_key(key, self._cert)

    def issue(self, folder: Path, hosts: Sequence[str]) -> None:
        """`tls.crt`, `tls.key` and `ca.crt` in the folder for these names and addresses; a good one stays."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        crt, key = folder / "tls.crt", folder / "tls.key"
        if crt.exists() and self._is_good(x509.load_pem_x509_certificate(crt.read_bytes()), hosts):
            return
        made = ec.generate_private_key(ec.SECP256R1())
        write_private(folder / "ca.crt", self._cert.public_bytes(Encoding.PEM))
        write_private(key, _pem(made))
        write_private(crt, self._leaf(made, hosts).public_bytes(Encoding.PEM))  # last: a good one says that all three are there

    def _is_good(self, cert: x509.Certificate, hosts: Sequence[str]) -> bool:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            cert.issuer == self._cert.subject
            and cert.not_valid_after_utc - self._now > _RENEW
            and set(names) == set(map(_general, hosts))
        )

    def _root(self, key: Key) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Rescind CA {x509.random_serial_number():x}"[:40])])
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            self._begun(name, name, key, _CA_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )

    def _leaf(self, key: Key, hosts: Sequence[str]) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        issuer_key = self._cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return (
            self._begun(name, self._cert.subject, key, _LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(list(dict.fromkeys(map(_general, hosts)))), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _begun(self, name: x509.Name, issuer: x509.Name, key: Key, life: timedelta) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _EARLIER)
            .not_valid_after(self._now + life)
        )


def _read_key(path: Path, cert: x509.Certificate) -> Key:
    try:
        loaded = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError):
        loaded = None
    if not isinstance(loaded, Key) or loaded.public_key() != cert.public_key():
        msg = f"{path} is not the key that bootstrap made for the ca.crt beside it: put it back."
        raise CannotStart(msg)
    return loaded


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

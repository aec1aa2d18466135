"""The table of secrets in docs/operations.md, walked on a cluster with TLS and SASL.

Each is rotated as its row says, and the old one is refused from then on. The database's password is not walked: tests take a
PostgreSQL as it is. And the paragraph below it, about issuers.
"""

from __future__ import annotations

import json
import shutil
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import httpx
import jwt
import pytest
from cryptography import x509
from e2e.test_story import fresh_database
from kafka.admin import ScramMechanism, UserScramCredentialDeletion, UserScramCredentialUpsertion
from kit import asyncapi
from kit.cluster import ROLES, Cluster, cluster, stop_all, trusting
from kit.kafka_broker import KafkaCluster
from kit.kafka_log import administering, messages
from kit.tokens import Signer, claims
from kit.waiting import until

from demo.joining import add_verifier
from eventlog.kafka.cloudevents import Message, source_of
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.topics import REVOCATIONS, SESSIONS, Topic
from rescind import Claims, Denied, Issuer, Verifier
from rescind.errors import Denial
from rescind.http_keys import fetch_key_set
from rescind.jwks import RemoteKeys
from services.cluster.certificates import Authority
from services.cluster.credential import read_credential

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(600)]
_WAIT_S = 120.0
_MAYA = {"username": "maya", "password": "correct horse battery staple"}
_DAY_MS = 86_400_000


@dataclass
class Installation:
    """A cluster with TLS; its Kafka takes accounts that this test makes. `verifiers`: names used so far."""

    cluster: Cluster
    kafka: KafkaCluster
    verifiers: list[str] = field(default_factory=list)

    @property
    def tls(self) -> ssl.SSLContext:
        found = trusting(self.cluster.ca)
        assert isinstance(found, ssl.SSLContext)
        return found

    def http(self, service: str = "issuer") -> httpx.Client:
        """As the administrator."""
        return httpx.Client(base_url=self.cluster.of(service)[0].url, verify=self.tls, timeout=15, headers=self.cluster.admin())

    def restart(self, *services: str) -> None:
        roles = [role for service in services for role in self.cluster.of(service)]
        stop_all(roles)
        for role in roles:
            role.start()
        self.cluster.await_ready()

    def sign_in(self) -> str:
        access: str = self.post(self.cluster.iss, "/api/token/", _MAYA).raise_for_status().json()["access"]
        return access

    def post(self, base: str, path: str, body: Mapping[str, object]) -> httpx.Response:
        return httpx.post(base + path, json=body, verify=self.tls, timeout=15)

    def token(self, client_id: str, secret: str) -> httpx.Response:
        asked = {"grant_type": "client_credentials"}
        return httpx.post(f"{self.cluster.iss}/oauth/token", auth=(client_id, secret), data=asked, verify=self.tls, timeout=15)

    def verifier(self, *others: Issuer) -> Verifier:
        """A new one. `others`: whom it trusts, too."""
        made, tls = self.cluster, self.tls
        self.verifiers.append(f"verifier-{len(self.verifiers)}")
        keys = RemoteKeys(
            lambda: fetch_key_set(f"{made.iss}/.well-known/jwks.json", tls), algorithms=("ES256",), clock=time.monotonic
        )
        return Verifier(
            issuers=[Issuer(iss=made.iss, keys=keys), *others],
            audience="rescind",
            feed=made.of("revocation")[0].url,
            credential=add_verifier(made.stage(), self.verifiers[-1]),
            tls=tls,
        )

    def works(self) -> None:
        """All of it is ready and silent; a session is accepted, logged out, and refused by what came through relay and feed."""
        self.cluster.await_ready()
        until(lambda: not any(role.warnings() for role in self.cluster.roles.values()), timeout=_WAIT_S)
        verifier, access = self.verifier(), self.sign_in()
        try:
            until(lambda: isinstance(verifier.verify(access), Claims), timeout=_WAIT_S)
            self.post(self.cluster.iss, "/api/token/logout/", {"refresh": access}).raise_for_status()
            until(lambda: is_refused(verifier, access), timeout=_WAIT_S)
        finally:
            verifier.close()


def is_refused(verifier: Verifier, access: str, reason: Denial = Denial.SESSION_REVOKED) -> bool:
    found = verifier.verify(access)
    return isinstance(found, Denied) and found.reason is reason


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: str, kafka_broker: KafkaCluster
) -> Iterator[Installation]:
    account(kafka_broker, "first", "first-password")
    environ = {
        "RESCIND_KAFKA_CA": str(kafka_broker.ca_file),
        "RESCIND_KAFKA_USERNAME": "first",
        "RESCIND_KAFKA_PASSWORD": "first-password",
    }
    with (
        fresh_database(postgres_url) as database,
        cluster(
            tmp_path_factory.mktemp("operations"), database=database, kafka=kafka_broker.secure, environ=environ, tls=True
        ) as made,
    ):
        made.bootstrap()
        made.topics()
        made.start()
        made.await_ready()
        found = Installation(made, kafka_broker)
        with found.http() as issuer:
            issuer.post("/v1/subjects", json=_MAYA).raise_for_status()
        found.works()
        yield found


def account(kafka: KafkaCluster, name: str, password: str) -> None:
    with administering(KafkaSettings(kafka.bootstrap)) as admin:
        admin.alter_user_scram_credentials([UserScramCredentialUpsertion(name, ScramMechanism.SCRAM_SHA_512, password)])


@pytest.mark.parametrize("service", ROLES)
def test_a_services_credential(installation: Installation, service: str) -> None:
    made = installation.cluster
    path = made.credentials / service / "credential.json"
    old = read_credential(path)
    path.unlink()
    made.bootstrap()
    installation.restart(service)
    assert installation.token(old.client_id, old.client_secret).is_success, "control: it is good until it is deleted"
    with installation.http() as issuer:
        listed = issuer.get("/v1/clients", params={"limit": 500}).raise_for_status().json()["clients"]
        ours = sorted((each["created"], each["client_id"]) for each in listed if each["name"] == f"service:{service}")
        assert [client_id for _, client_id in ours] == [old.client_id, read_credential(path).client_id]
        issuer.delete(f"/v1/clients/{ours[0][1]}").raise_for_status()
    assert installation.token(old.client_id, old.client_secret).json()["error"] == "invalid_client"
    installation.works()


def test_an_oauth_clients_secret_and_the_client(installation: Installation) -> None:
    with installation.http() as issuer:
        asked = {"name": "shop", "scopes": ["sessions:write"], "grants": ["read"]}
        shop = issuer.post("/v1/clients", json=asked).raise_for_status().json()
        path = f"/v1/clients/{shop['client_id']}"
        overlapping = issuer.post(f"{path}/secret", json={"overlap": 3600}).raise_for_status().json()["client_secret"]
        for secret in (shop["client_secret"], overlapping):
            assert installation.token(shop["client_id"], secret).is_success
        last = issuer.post(f"{path}/secret", json={}).raise_for_status().json()["client_secret"]
        for secret in (shop["client_secret"], overlapping):
            assert installation.token(shop["client_id"], secret).json()["error"] == "invalid_client"
        bearer = {
            "Authorization": f"Bearer {installation.token(shop['client_id'], last).raise_for_status().json()['access_token']}"
        }
        begun = issuer.post("/v1/sessions", json={"subject": "bob"}, headers=bearer).raise_for_status().json()["access"]
        verifier = installation.verifier()
        try:
            until(lambda: isinstance(verifier.verify(begun), Claims), timeout=_WAIT_S)
            issuer.delete(path).raise_for_status()
            until(lambda: is_refused(verifier, begun), timeout=_WAIT_S)
        finally:
            verifier.close()
        assert issuer.post("/v1/sessions", json={"subject": "bob"}, headers=bearer).status_code == 401


def test_a_verifiers_credential(installation: Installation) -> None:
    made, feed = installation.cluster, installation.cluster.of("revocation")[0].url

    def opens(credential: str) -> bool:
        headers = {"Authorization": f"Bearer {credential}"}
        with httpx.stream("GET", f"{feed}/v1/feed", headers=headers, verify=installation.tls, timeout=15) as answer:
            return answer.is_success

    old, new = add_verifier(made.stage(), "shop-old"), add_verifier(made.stage(), "shop-new")
    assert opens(old)
    with installation.http("revocation") as revocation:
        revocation.delete("/v1/verifiers/shop-old").raise_for_status()
    until(lambda: not opens(old), timeout=_WAIT_S)
    assert opens(new)


def test_a_leaked_signing_key(installation: Installation) -> None:
    verifier, access = installation.verifier(), installation.sign_in()
    try:
        until(lambda: isinstance(verifier.verify(access), Claims), timeout=_WAIT_S)
        with installation.http() as issuer:
            issuer.post("/v1/keys/rotate", json={"use": "access"}).raise_for_status()
        kid = _kid(access)
        with installation.http("revocation") as revocation:
            asked = {"target": {"type": "key", "id": kid}, "reason": "compromised"}
            revocation.post("/v1/revocations", json=asked).raise_for_status()
        until(lambda: is_refused(verifier, access, Denial.KEY_REVOKED), timeout=_WAIT_S)
        until(lambda: _kid(installation.sign_in()) != kid, timeout=_WAIT_S)
        newer = installation.sign_in()
        until(lambda: isinstance(verifier.verify(newer), Claims), timeout=_WAIT_S)
    finally:
        verifier.close()
    installation.works()


def test_certificates_before_they_end(installation: Installation) -> None:
    made = installation.cluster
    before = {role: serial(made.credentials / role / "tls.crt") for role in ROLES}
    made.bootstrap()
    assert before == {role: serial(made.credentials / role / "tls.crt") for role in ROLES}, "control: good ones stay"
    earlier = Authority(made.credentials / "ca", int(time.time() * 1000) - 340 * _DAY_MS)  # they end within 60 days
    for role in ROLES:
        (made.credentials / role / "tls.crt").unlink()
        earlier.issue(made.credentials / role, [role, "localhost", "127.0.0.1"])
    installation.restart(*ROLES)
    old = served(installation)
    made.bootstrap()
    installation.restart(*ROLES)
    assert not old & served(installation)
    installation.works()


def test_the_ca(installation: Installation) -> None:
    made = installation.cluster
    assert made.ca
    old = made.folder / "old-ca.crt"
    shutil.copyfile(made.ca, old)
    shutil.rmtree(made.credentials / "ca")
    for role in ROLES:
        (made.credentials / role / "tls.crt").unlink()
    made.bootstrap()
    installation.restart(*ROLES)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{made.iss}/livez", verify=trusting(old))
    installation.works()


def test_kafkas_account(installation: Installation) -> None:
    made = installation.cluster
    user = next(iter(made.roles.values())).environ["RESCIND_KAFKA_USERNAME"]
    account(installation.kafka, "second", "second-password")
    environ = {"RESCIND_KAFKA_USERNAME": "second", "RESCIND_KAFKA_PASSWORD": "second-password"}
    for role in made.roles.values():
        role.environ = {**role.environ, **environ}
    made.environ = {**made.environ, **environ}
    installation.restart(*ROLES)
    with administering(KafkaSettings(installation.kafka.bootstrap)) as admin:
        admin.alter_user_scram_credentials([UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)])
    installation.restart(*ROLES)  # else the connections that are there would do
    installation.works()
    made.topics()


def test_the_administrator(installation: Installation) -> None:
    path = installation.cluster.credentials / "admin-client.json"
    told = json.loads(path.read_text("utf-8"))
    account = {"username": told["username"], "password": told["password"]}
    person = installation.post(installation.cluster.iss, "/api/token/", account).raise_for_status().json()["access"]
    with installation.http() as issuer:
        made = issuer.post(f"/v1/clients/{told['client_id']}/secret", json={}).raise_for_status().json()
        changed = {"old_password": told["password"], "new_password": "another horse battery staple"}
        issuer.post("/api/password", json=changed, headers={"Authorization": f"Bearer {person}"}).raise_for_status()
    assert installation.token(told["client_id"], told["client_secret"]).json()["error"] == "invalid_client"
    assert installation.post(installation.cluster.iss, "/api/token/", account).status_code == 401
    path.write_text(json.dumps(told | {"client_secret": made["client_secret"], "password": changed["new_password"]}), "utf-8")
    installation.works()


def test_an_issuer_comes_and_goes(installation: Installation) -> None:
    """One of somebody else's, beside ours."""
    iss, signer, now = "https://keycloak.example/realms/shop", Signer(), int(time.time())
    token = signer.token(claims(iss=iss, aud="rescind", iat=now, exp=now + 900, auth_time=now, sn=None, cv=None)).decode()
    verifier = installation.verifier(Issuer(iss=iss, own=False, keys={signer.kid: signer.public}.get))
    source = f"/v1/sources/{quote(iss, safe='')}"
    try:
        with installation.http("revocation") as revocation:
            asked = {"target": {"type": "session", "id": "another", "iss": iss}, "reason": "admin"}
            assert revocation.post("/v1/revocations", json=asked).status_code == 400, "control: it is no source yet"
            revocation.put(source, json={"max_session_life": 3600}).raise_for_status()
            assert revocation.post("/v1/revocations", json=asked).status_code == 201
            until(lambda: isinstance(verifier.verify(token), Claims), timeout=_WAIT_S)
            revocation.delete(source).raise_for_status()
            until(lambda: is_refused(verifier, token), timeout=_WAIT_S)
    finally:
        verifier.close()
    installation.works()


def test_what_stands_in_kafka_is_what_asyncapi_says(installation: Installation) -> None:
    """And a revocation from outside is keyed by its target, as is the issuer's answer. Other tests write to the same topics."""
    verifier, access = installation.verifier(), installation.sign_in()
    try:
        until(lambda: isinstance(verifier.verify(access), Claims), timeout=_WAIT_S)
        sid, iss = jwt.decode(access, options={"verify_signature": False})["sid"], installation.cluster.iss
        with installation.http("revocation") as revocation:
            asked = {"target": {"type": "session", "id": sid}, "reason": "admin"}
            revocation.post("/v1/revocations", json=asked).raise_for_status()
    finally:
        verifier.close()
    until(lambda: _keys(installation).count(f"session:{iss}:{sid}") == 2, timeout=_WAIT_S)
    said = asyncapi.document()
    stands = [each for each in _messages(installation, replace(SESSIONS, partitions=4)) if source_of(each) == iss]
    stands += [each for each in _messages(installation, REVOCATIONS) if iss.encode() in (each.value or b"")]
    assert len(stands) > 10
    assert [each for each in stands if asyncapi.misfits(said, each)] == []


def _messages(installation: Installation, topic: Topic) -> list[Message]:
    return [message for _, message in messages(KafkaSettings(installation.kafka.bootstrap), topic)]


def _keys(installation: Installation) -> list[str]:
    """Of the list's log."""
    return [each.key.decode() for each in _messages(installation, REVOCATIONS) if each.key]


def serial(crt: Path) -> int:
    return x509.load_pem_x509_certificate(crt.read_bytes()).serial_number


def served(installation: Installation) -> set[int]:
    """The serial numbers of what is shown to who connects."""
    ports = [role.port for role in installation.cluster.roles.values()]
    shown = [ssl.get_server_certificate(("127.0.0.1", port)) for port in ports]
    return {x509.load_pem_x509_certificate(each.encode()).serial_number for each in shown}


def _kid(access: str) -> str:
    kid: str = jwt.get_unverified_header(access)["kid"]
    return kid

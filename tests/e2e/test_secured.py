"""TLS between all services and SASL_SSL to Kafka, with real processes; and what an operator reads who got one of them wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from e2e.test_story import fresh_database
from kit.cluster import Cluster, Role, cluster, stop_all, trusting
from kit.kafka_broker import PASSWORD, USER, KafkaCluster
from kit.kafka_certificates import make_certificates
from kit.topic_audit import read_topic
from kit.waiting import until

from demo.joining import add_verifier
from eventlog.kafka.settings import KafkaSettings, Sasl
from eventlog.kafka.topics import SESSIONS
from rescind import Claims, Denied, Issuer, Verifier
from rescind.http_keys import fetch_key_set
from rescind.jwks import RemoteKeys
from services.cluster.certificates import Authority

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(600)]
_WAIT_S = 120.0
_GUESSED = "guessed-kafka-password"
_MAYA = {"username": "maya", "password": "correct horse battery staple"}


@dataclass(frozen=True)
class Secured:
    """A cluster behind TLS; `others`: certificates of an authority that nobody trusts."""

    cluster: Cluster
    kafka: KafkaCluster
    others: Path

    def running(self) -> None:
        """All of it, ready."""
        for role in self.cluster.roles.values():
            if role.process is None or role.process.poll() is not None:
                role.start()
        self.cluster.await_ready()

    def wrong(self) -> Mapping[str, Role]:
        """Each service with another mistake, by its name. The revocation service's own certificate is for another name, too."""
        elsewhere = self.others / "elsewhere"
        Authority(self.cluster.credentials / "ca", int(time.time() * 1000)).issue(elsewhere, ["elsewhere.example"])
        untrusted = {"--ca": str(self.others / "ca" / "ca.crt")}
        named = {"--tls-cert": str(elsewhere / "tls.crt"), "--tls-key": str(elsewhere / "tls.key")}
        guessed = {"RESCIND_KAFKA_PASSWORD": _GUESSED}
        by_name = {"RESCIND_KAFKA": self.kafka.secure.replace("127.0.0.1", "localhost")}
        other_ca = {"RESCIND_KAFKA_CA": str(self.others / "kafka" / "ca.pem")}
        changes: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
            "issuer": (untrusted, guessed),
            "relay": ({}, by_name),
            "revocation": (untrusted | named, other_ca),
            "anomaly": (untrusted, guessed),
        }
        return {name: changed(self.cluster.of(name)[0], *what) for name, what in changes.items()}

    def secrets(self) -> Sequence[str]:
        """What no log and no probe may show."""
        told = [json.loads(path.read_text("utf-8")) for path in self.cluster.credentials.rglob("*.json")]
        fields = ("client_secret", "verifier", "password")
        found = [each[name] for each in told for name in fields if each.get(name)]
        found += [key for each in told for key in each.get("keys", {}).values()]
        found += [path.read_text("ascii").split("\n")[1] for path in self.cluster.credentials.rglob("tls.key")]
        assert all(found)
        return [PASSWORD, _GUESSED, *found]

    def assert_no_secret(self, text: str) -> None:
        assert not [secret for secret in self.secrets() if secret in text]


def changed(role: Role, options: Mapping[str, str], environ: Mapping[str, str]) -> Role:
    """The same service with other values for some options and variables."""
    command = [*role.command]
    for option, value in options.items():
        command[command.index(option) + 1] = value
    log = role.log.with_name(f"wrong-{role.name}.log")
    return replace(role, command=command, environ={**role.environ, **environ}, log=log, process=None)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, postgres_url: str, kafka_broker: KafkaCluster) -> Iterator[Secured]:
    folder, others = tmp_path_factory.mktemp("secured"), tmp_path_factory.mktemp("others")
    Authority(others / "ca", int(time.time() * 1000)).issue(others, ["127.0.0.1"])
    (others / "kafka").mkdir()
    make_certificates(others / "kafka")
    environ = {
        "RESCIND_KAFKA_CA": str(kafka_broker.ca_file),
        "RESCIND_KAFKA_USERNAME": USER,
        "RESCIND_KAFKA_PASSWORD": PASSWORD,
    }
    with (
        fresh_database(postgres_url) as database,
        cluster(folder, database=database, kafka=kafka_broker.secure, environ=environ, tls=True) as made,
    ):
        made.bootstrap()
        made.topics()
        yield Secured(made, kafka_broker, others)


def test_a_revocation_arrives_over_tls_and_by_kafka_over_sasl(secured: Secured) -> None:
    secured.running()
    made, tls = secured.cluster, trusting(secured.cluster.ca)
    assert not isinstance(tls, bool)
    with (
        httpx.Client(base_url=made.iss, verify=tls, timeout=15) as issuer,
        httpx.Client(base_url=made.of("revocation")[0].url, verify=tls, timeout=15, headers=made.admin()) as revocation,
    ):
        issuer.post("/v1/subjects", json=_MAYA, headers=made.admin()).raise_for_status()
        access = issuer.post("/api/token/", json=_MAYA).raise_for_status().json()["access"]
        keys = RemoteKeys(
            lambda: fetch_key_set(f"{made.iss}/.well-known/jwks.json", tls), algorithms=("ES256",), clock=time.monotonic
        )
        verifier = Verifier(
            issuers=Issuer(iss=made.iss, keys=keys),
            audience="rescind",
            feed=made.of("revocation")[0].url,
            credential=add_verifier(made.stage(), "shop"),
            tls=tls,
        )
        try:
            until(lambda: isinstance(verifier.verify(access), Claims), timeout=_WAIT_S)
            claims = verifier.verify(access)
            assert isinstance(claims, Claims)
            asked = {"target": {"type": "session", "id": claims.sid}, "reason": "admin"}
            revocation.post("/v1/revocations", json=asked).raise_for_status()
            until(lambda: isinstance(verifier.verify(access), Denied), timeout=_WAIT_S)
        finally:
            verifier.close()
        rows = (
            issuer.get("/v1/log/records", params={"after": "0.0", "limit": 1000}, headers=made.admin()).raise_for_status().json()
        )
        logged = {row["id"] for row in rows["records"]}
        assert logged
    settings = KafkaSettings(secured.kafka.secure, str(secured.kafka.ca_file), Sasl(USER, PASSWORD))
    topic = replace(SESSIONS, partitions=4)
    until(lambda: logged <= {each for ids in read_topic(settings, topic).values() for each in ids}, timeout=_WAIT_S)
    for role in made.roles.values():
        until(lambda role=role: role.warnings() == {}, timeout=_WAIT_S)  # type: ignore[misc]
        secured.assert_no_secret(role.log.read_text("utf-8"))
    with pytest.raises(AssertionError):  # the control: the search finds what is there
        secured.assert_no_secret(f"password={PASSWORD}")


def test_who_got_it_wrong_reads_why(secured: Secured) -> None:
    """Every service with something wrong, at once. Each says what it is, shows no secret, and ends when it is told to."""
    made, wrong = secured.cluster, secured.wrong()
    stop_all(made.roles.values())
    for role in wrong.values():
        role.log.unlink(missing_ok=True)
        role.start()
    shown = ""
    try:
        for name, lines in _LINES.items():
            for line, words in lines.items():
                until(lambda name=name, line=line, words=words: words in said(wrong[name], line), timeout=_WAIT_S)  # type: ignore[misc]
        assert wrong["issuer"].missing() == {}, "sign-in goes on"
        shown = "".join(str(role.missing()) + str(role.warnings()) for role in wrong.values())
    finally:
        stop_all(wrong.values())
    for role in wrong.values():
        assert role.process
        assert role.process.returncode == 0, role.name
        secured.assert_no_secret(shown + role.log.read_text("utf-8"))


def said(role: Role, line: str) -> str:
    found = {**(role.missing() or {}), **role.warnings()}
    return " ".join(words for name, words in found.items() if name.startswith(line))


_LINES: Mapping[str, Mapping[str, str]] = {
    "issuer": {"issuer: way back": "Kafka does not accept the account"},
    "relay": {
        "relay: express road": "the revocation service has a certificate for another name than that of its address",
        "relay: kafka road": "Kafka has a certificate for another name than that of its address",
    },
    "revocation": {
        "revocation: issuer keys": "the issuer has a certificate that is not trusted",
        "revocation: sessions topic": "Kafka has a certificate that is not trusted",
        "revocation: revocations topic road": "Kafka has a certificate that is not trusted",
    },
    "anomaly": {
        "anomaly: revocation list": "the revocation service's certificate is not trusted",
        "anomaly: sessions": "Kafka does not accept the account",
    },
}

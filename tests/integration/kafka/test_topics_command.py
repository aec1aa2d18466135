"""`python -m services topics` as an operator runs it: exit status, one line, and a topic that is there stays as it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from kit.kafka_broker import PASSWORD, USER, KafkaCluster, kafka_cluster
from kit.kafka_log import administering
from kit.server_process import ROOT, run

from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.topics import TOPICS

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
_STRICT = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # who comes in the clear; the account over TLS may do nothing
}
NAMES = {topic.name for topic in TOPICS}


@pytest.fixture(scope="module")
def waiting() -> Iterator[subprocess.Popen[str]]:
    """One that is started where no Kafka is. It is looked at last."""
    command = [sys.executable, "-m", "services", "topics", "--kafka", "127.0.0.1:9"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, waiting: subprocess.Popen[str]) -> Iterator[KafkaCluster]:
    del waiting  # begun by now
    with kafka_cluster(tmp_path_factory.mktemp("strict"), settings=_STRICT) as cluster:
        yield cluster


@pytest.fixture
def kafka(broker: KafkaCluster) -> KafkaCluster:
    """Without topics."""
    with administering(KafkaSettings(broker.bootstrap)) as admin:
        admin.delete_topics([name for name in admin.list_topics() if name in NAMES])
        while NAMES & set(admin.list_topics()):
            pass
    return broker


def topics(kafka: KafkaCluster, *argv: str) -> subprocess.CompletedProcess[str]:
    return run("topics", "--kafka", kafka.bootstrap, *argv)


def there(kafka: KafkaCluster) -> dict[str, int]:
    """Names and partitions."""
    with administering(KafkaSettings(kafka.bootstrap)) as admin:
        found = admin.describe_topics(sorted(NAMES & set(admin.list_topics())))
    return {each["name"]: len(each["partitions"]) for each in found}


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line; nothing else is written, and no secret."""
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert PASSWORD not in line
    return line


def test_they_are_made_and_then_left_alone(kafka: KafkaCluster) -> None:
    first, second = topics(kafka, "--kafka-partitions", "3"), topics(kafka, "--kafka-partitions", "3")
    assert (first.returncode, first.stderr) == (0, "")
    assert all(name in first.stdout for name in NAMES)
    assert (second.returncode, second.stdout, second.stderr) == (0, "All topics are there.\n", "")
    assert there(kafka) == dict.fromkeys(NAMES, 1) | {"rescind.sessions.v1": 3, "rescind.anomalies.v1": 3}


@pytest.mark.parametrize("partitions", ["2", "4"])
def test_a_number_of_partitions_changes_in_neither_direction(kafka: KafkaCluster, partitions: str) -> None:
    assert topics(kafka, "--kafka-partitions", "3").returncode == 0
    before = there(kafka)
    line = refusal(topics(kafka, "--kafka-partitions", partitions))
    assert f"rescind.sessions.v1 must have {partitions} partitions" in line
    assert "cannot change in place" in line
    assert there(kafka) == before


def test_more_copies_than_brokers_are_refused_at_once(kafka: KafkaCluster) -> None:
    line = refusal(topics(kafka, "--kafka-replication", "2"))
    assert "Kafka has fewer than 2 brokers that run" in line
    assert there(kafka) == {}


def test_an_account_that_may_not_is_refused_at_once(kafka: KafkaCluster) -> None:
    secure: Sequence[str] = ["--kafka", kafka.secure, "--kafka-ca", str(kafka.ca_file), "--kafka-username", USER]
    line = refusal(run("topics", *secure, environ={"RESCIND_KAFKA_PASSWORD": PASSWORD}))
    assert "Kafka does not allow the account that" in line
    assert there(kafka) == {}


def test_where_no_kafka_comes_it_gives_up_after_a_while(kafka: KafkaCluster, waiting: subprocess.Popen[str]) -> None:
    del kafka
    out, err = waiting.communicate(timeout=150)
    line = refusal(subprocess.CompletedProcess(waiting.args, waiting.returncode, out, err))
    assert "Kafka cannot be reached. Check --kafka and that its brokers run." in line


def test_without_an_address_it_says_so() -> None:
    assert "--kafka is missing" in refusal(run("topics"))


def test_a_file_of_authorities_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    assert "--kafka-ca must name a readable PEM file" in refusal(
        run("topics", "--kafka", "127.0.0.1:9", "--kafka-ca", str(tmp_path / "ca.pem"))
    )

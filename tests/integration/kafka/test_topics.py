from __future__ import annotations

import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from kit.kafka_broker import PASSWORD, USER, KafkaCluster
from kit.kafka_log import ISS, KafkaLog, SqlRefill

from eventlog.kafka.cloudevents import Message
from eventlog.kafka.errors import KafkaUnavailable, TopicMismatch
from eventlog.kafka.feed import KafkaFeed
from eventlog.kafka.producer import Producer
from eventlog.kafka.settings import KafkaSettings, Sasl
from eventlog.kafka.topics import SESSIONS, TOPICS, Topic, ensure_topics

pytestmark = pytest.mark.kafka


def fresh(partitions: int = 2) -> Topic:
    return Topic(f"test-{uuid.uuid4().hex}", partitions)


def test_they_are_made_once(settings: KafkaSettings) -> None:
    topics = [fresh(), fresh(1)]

    assert set(ensure_topics(settings, topics)) == {topic.name for topic in topics}
    assert ensure_topics(settings, topics) == []


def test_many_may_make_them_at_once(settings: KafkaSettings) -> None:
    topic = fresh()

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ensure_topics(settings, [topic]), range(4)))

    assert sorted(list(each) for each in made) == [[], [], [], [topic.name]]


def test_the_number_of_partitions_does_not_change_in_place(settings: KafkaSettings) -> None:
    topic, other = fresh(2), fresh()
    ensure_topics(settings, [topic])

    with pytest.raises(TopicMismatch, match=rf"{topic.name} must have 3 partitions"):
        ensure_topics(settings, [other, replace(topic, partitions=3)])

    assert ensure_topics(settings, [topic, other]) == [other.name], "nothing was made when one did not fit"


def test_who_writes_and_who_reads_refuses_another_number(log: KafkaLog) -> None:
    log.write("1")
    log.tell()
    wrong = replace(log.topic, partitions=2)
    feed = KafkaFeed(log.settings, wrong, iss=ISS, refill=SqlRefill(log.log))
    producer = Producer(log.settings, wrong)

    with pytest.raises(TopicMismatch):
        feed.read()
    with pytest.raises(TopicMismatch):
        producer.deliver([(0, Message(None, b"", ()))])

    feed.close()
    producer.close()


def test_the_projects_topics_have_their_names() -> None:
    assert {topic.name for topic in TOPICS} == {
        "rescind.sessions.v1",
        "rescind.revocations.v1",
        "rescind.anomalies.v1",
        "rescind.audit.v1",
    }
    assert SESSIONS.partitions == 12


def test_an_account_over_tls(kafka_broker: KafkaCluster) -> None:
    secure = KafkaSettings(kafka_broker.secure, str(kafka_broker.ca_file), Sasl(USER, PASSWORD))

    assert ensure_topics(secure, [fresh()])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sasl": Sasl(USER, "guessed")}, "does not accept the account"),
        ({"sasl": None}, "Kafka "),
        ({"ca_file": ""}, "has a certificate that is not trusted"),
        ({"bootstrap": "localhost"}, "has a certificate for another name than that of its address"),
        ({"bootstrap": "plain"}, "does not speak TLS at that address"),
    ],
)
def test_without_the_password_or_a_certificate_to_trust_nothing_happens(
    kafka_broker: KafkaCluster, change: dict[str, Sasl | str | None], words: str
) -> None:
    """And the error says which of them it is."""
    secure = KafkaSettings(kafka_broker.secure, str(kafka_broker.ca_file), Sasl(USER, PASSWORD), timeout=2.0)
    refused = replace(secure, **change)  # type: ignore[arg-type]
    places = {"localhost": secure.bootstrap.replace("127.0.0.1", "localhost"), "plain": kafka_broker.bootstrap}
    refused = replace(refused, bootstrap=places.get(refused.bootstrap, refused.bootstrap))

    with pytest.raises(KafkaUnavailable, match=words) as raised:
        ensure_topics(refused, [fresh()])

    assert PASSWORD not in str(raised.value)


def test_the_password_is_shown_nowhere(kafka_broker: KafkaCluster, caplog: pytest.LogCaptureFixture) -> None:
    secure = KafkaSettings(kafka_broker.secure, str(kafka_broker.ca_file), Sasl(USER, PASSWORD))
    caplog.set_level(logging.DEBUG, "kafka")

    topic = fresh(1)
    ensure_topics(secure, [topic])
    producer = Producer(secure, topic)
    producer.deliver([(0, Message(None, b"", ()))])
    producer.close()

    assert USER in caplog.text
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(secure)

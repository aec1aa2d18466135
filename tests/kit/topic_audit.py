"""What stands in the session topic, held against the issuer's log: nothing lost, doubled in effect, or out of order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import httpx
from kit.kafka_log import messages
from kit.waiting import until

from eventlog.kafka.cloudevents import Sent, decode
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.topics import Topic
from rescind.position import BEGINNING, Position


def await_all_told(issuer: str, headers: Mapping[str, str], settings: KafkaSettings, topic: Topic, *, timeout: float) -> None:
    """Each event once in effect, in the order of its stream: as soon as the relay has told everything."""
    log = read_log(issuer, headers)
    until(lambda: tells(read_topic(settings, topic), log), timeout=timeout)


def tells(told: Mapping[str, list[str]], log: Mapping[str, list[str]]) -> bool:
    """Whether all of a log was told, in order and nothing twice; more may have been told since it was read."""
    whole = all(told.get(stream, [])[: len(ids)] == ids for stream, ids in log.items())
    return whole and all(len(set(ids)) == len(ids) for ids in told.values())


def in_effect(sent: Iterable[tuple[int, Sent]]) -> Mapping[str, list[str]]:
    """Ids by stream, as a consumer takes them: what is not beyond its issuer's last position in that partition was seen."""
    last: dict[tuple[str, int], Position] = defaultdict(lambda: BEGINNING)
    effective: dict[str, list[str]] = defaultdict(list)
    for partition, read in sent:
        assert read.recorded.position
        if read.recorded.position > last[read.iss, partition]:
            last[read.iss, partition] = read.recorded.position
            effective[read.recorded.stream].append(read.recorded.event.id)
    return effective


def read_topic(settings: KafkaSettings, topic: Topic) -> Mapping[str, list[str]]:
    """What a consumer takes of it."""
    return in_effect(sent_to(settings, topic))


def sent_to(settings: KafkaSettings, topic: Topic) -> list[tuple[int, Sent]]:
    """Its records with their partitions, as they stand there."""
    read = [(partition, decode(message)) for partition, message in messages(settings, topic)]
    return [(partition, each) for partition, each in read if isinstance(each, Sent)]


def read_log(issuer: str, headers: Mapping[str, str]) -> Mapping[str, list[str]]:
    """Ids of the issuer's log by stream, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    after = "0.0"
    with httpx.Client(base_url=issuer, headers=headers, timeout=15) as http:
        while rows := http.get("/v1/log/records", params={"after": after, "limit": 1000}).raise_for_status().json()["records"]:
            for row in rows:
                found[row["stream"]].append(row["id"])
            after = rows[-1]["position"]
    return found

"""Kafka may be away, at start and for minutes under load: all goes on, and revocations arrive by the express road.

The controls, in which verifiers do go stale, are in test_roads_cut.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from e2e.test_story import fresh_database
from kit.load import Load, working
from kit.scene import PATIENCE_S, SESSIONS, Scene, scene
from kit.theft import copied_session, findings
from kit.topic_audit import in_effect, read_log, sent_to, tells
from kit.waiting import until
from kit.witness import MAX_STALENESS_S

from demo.people import Device
from eventlog.kafka.cloudevents import Sent
from rescind.freshness import boot_clock
from rescind.position import Position

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(900)]

_OUTAGE_S = 90.0

Told = Sequence[tuple[int, Sent]]


@dataclass(frozen=True)
class Start:
    """What was seen while Kafka had never been there; since then it is. `copied`: a session that was copied meanwhile."""

    scene: Scene
    load: Load
    relay_missed: Mapping[str, str]
    copied: Device
    stale: Sequence[float]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Start]:
    with fresh_database(postgres_url) as database, scene(tmp_path_factory.mktemp("away"), database, away=True) as shown:
        with working(shown.load()) as load:
            copied = copied_session(shown.cluster.iss, shown.cluster.admin())
            until(lambda: load.cycles >= 15, timeout=PATIENCE_S)
        shown.all_refused()
        missed = shown.role("relay").missing() or {}
        shown.kafka.nodes[0].start()
        shown.cluster.topics()
        shown.cluster.await_ready()
        yield Start(shown, load, missed, copied, tuple(shown.witness.stale))


def found(scene: Scene, session: Device) -> Sequence[Mapping[str, object]]:
    return findings(scene.role("anomaly").url, scene.cluster.admin(), session.sid)


def is_found_and_ended_once(scene: Scene, session: Device) -> None:
    """As soon as the anomaly service has caught up."""
    until(lambda: any(each["revocation_id"] for each in found(scene, session)), timeout=PATIENCE_S)
    scene.end(session.access, boot_clock())
    scene.all_refused()
    assert len(found(scene, session)) == 1


def test_without_kafka_from_the_start_all_goes_on_and_nothing_is_lost(start: Start) -> None:
    assert start.load.failures == []
    assert "relay: kafka road" in start.relay_missed
    assert (start.stale, start.scene.witness.wrong) == ((), [])
    start.scene.topic_says_what_the_log_says()
    is_found_and_ended_once(start.scene, start.copied)


def test_kafka_away_for_minutes_under_load(start: Start) -> None:
    away = start.scene
    away.watch_anew()
    with working(away.load()) as load:
        until(lambda: load.cycles >= 5, timeout=PATIENCE_S)
        away.kafka.nodes[0].kill()
        copied = copied_session(away.cluster.iss, away.cluster.admin())
        threading.Event().wait(_OUTAGE_S)  # the fault is that it lasts
        during = load.cycles
        assert found(away, copied) == [], "this was to be found when Kafka is back"
        away.kafka.nodes[0].start()
        until(lambda: load.cycles >= during + 5, timeout=PATIENCE_S)
    away.all_refused()
    away.cluster.await_ready()
    assert load.failures == []
    assert (away.witness.stale, away.witness.wrong) == ([], [])
    assert away.witness.slowest_ms < 1000 * MAX_STALENESS_S
    assert len(away.witness.recent) == load.cycles
    away.topic_says_what_the_log_says()
    is_found_and_ended_once(away, copied)


def one_lost(told: Told) -> Told:
    lost = told[len(told) // 2][1].recorded.event.id
    return [each for each in told if each[1].recorded.event.id != lost]


def one_twice(told: Told) -> Told:
    """An event that was given two positions: no consumer drops the second."""
    partition, sent = told[-1]
    again = replace(sent, recorded=replace(sent.recorded, position=Position(999, 1)))
    return [*told, (partition, again)]


def two_swapped(told: Told) -> Told:
    """The last event of a subject, and the one before it."""
    last = max(range(len(told)), key=lambda n: told[n][1].recorded.version)
    stream, version = told[last][1].recorded.stream, told[last][1].recorded.version
    before = next(n for n, (_, each) in enumerate(told) if (each.recorded.stream, each.recorded.version) == (stream, version - 1))
    return [*told[:before], told[last], *told[before + 1 : last], told[before], *told[last + 1 :]]


@pytest.mark.parametrize("harm", [one_lost, one_twice, two_swapped])
def test_control_what_befalls_the_topic_is_seen(start: Start, harm: Callable[[Told], Told]) -> None:
    shown = start.scene
    shown.topic_says_what_the_log_says()
    log = read_log(shown.cluster.iss, shown.cluster.admin())
    told = sent_to(shown.settings, SESSIONS)
    assert not tells(in_effect(harm(told)), log)

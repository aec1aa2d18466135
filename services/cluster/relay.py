"""The relay: speaks for the issuer's log, on both roads, also while every issuer process is dead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from fastapi import APIRouter

from eventlog.kafka.sink import KafkaSink
from eventlog.leased import Leased
from eventlog.relay import Relay, Sink
from eventlog.sql.leases import Leases
from eventlog.sql.sequencer import Sequencer
from eventlog.sql.watching import watch
from rescind.events.registry import may_touch_list
from services.access import SCOPES
from services.cluster.credential import read_credential
from services.cluster.opening import Opened
from services.cluster.own_token import OwnToken
from services.cluster.settings import ClusterSettings
from services.cluster.wiring import ISSUER, RELAY, Peers, engine, everything, issuer_settings, kafka, key, sessions_topic
from services.issuer.wiring import Outgoing, new_id, open_clients, open_outgoing
from services.migrating import require_schema
from services.roads.express import ExpressSink
from services.roads.service_token import ServiceToken
from services.runtime import Loop, Measure, Service, Streams


@dataclass(slots=True)
class Road:
    """One sink, served by whichever relay process has its lease."""

    name: str
    make: Callable[[], Relay]
    leases: Leases
    leased: Leased = field(init=False)
    relay: Relay | None = None

    def __post_init__(self) -> None:
        self.leased = Leased(self.leases, f"{self.name} road", self._run)

    def loop(self) -> Loop:
        """Sends, or stands by."""
        return Loop(f"{self.name} road", self.leased.run)

    def ready(self) -> Mapping[str, str]:
        """Empty, or why nothing moves on this road."""
        relay = self.relay
        if relay is None or not self.leased.holding or not relay.trouble:
            return {}
        return {f"{self.name} road": f"What the log says does not get through: {relay.trouble}."}

    def measure(self) -> Measure:
        """Whether it is this process that sends."""
        return Measure(
            "relay_holds", "Whether this process has the road's lease.", float(self.leased.holding), {"road": self.name}
        )

    def _run(self, stop: threading.Event) -> None:
        self.relay = self.make()  # a new one: what an earlier one knew is old
        self.relay.run(stop)


def open_relay(settings: ClusterSettings, _: Streams, stack: ExitStack) -> Opened:
    """Put it together; CannotStart, EventLogError."""
    credential = read_credential(settings.credential)
    opened = engine(stack, settings, ISSUER)
    require_schema(opened, ISSUER)
    outgoing = open_outgoing(opened)
    leases = Leases(opened, outgoing.log.tables.leases, new_id())
    own = issuer_settings(settings, credential.iss)
    clients = open_clients(opened, own, key(credential, "master"), own_scopes=frozenset(SCOPES))
    token = ServiceToken(OwnToken(clients, credential.client_id).ask)  # also while every issuer process is dead
    express = ExpressSink(Peers(stack, settings, credential).revocation_with(token), credential.iss)
    brokers, topic = kafka(settings), sessions_topic(settings)

    def kafka_road() -> Relay:
        sink = KafkaSink(brokers, topic, iss=credential.iss, hash_at=outgoing.log.hash_at)
        return _relay(outgoing, sink, credential.iss, "kafka", everything)

    roads = [
        Road("express", lambda: _relay(outgoing, express, credential.iss, "express", may_touch_list), leases),
        Road("kafka", kafka_road, leases),
    ]
    return Opened([_service(outgoing, roads)])


def _relay(outgoing: Outgoing, sink: Sink, iss: str, name: str, carries: Callable[[str], bool]) -> Relay:
    return Relay(
        outgoing.log,
        sink,
        iss=iss,
        cursor_name=name,
        carries=carries,
        applied=outgoing.applied,
        live_sessions=outgoing.live_sessions,
        on_restored=outgoing.restored,
    )


def _service(outgoing: Outgoing, roads: Sequence[Road]) -> Service:
    loops = (
        Loop("relay sequencer", Sequencer(outgoing.log).run),
        Loop("relay watch", lambda stop: watch(outgoing.log, stop)),
        *(road.loop() for road in roads),
    )

    def ready() -> Mapping[str, str]:
        return {name: words for road in roads for name, words in road.ready().items()}

    return Service(RELAY, APIRouter(), loops, ready, lambda: [road.measure() for road in roads])

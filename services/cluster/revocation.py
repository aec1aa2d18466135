"""The revocation service of the cluster: any number of processes over one database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace

from eventlog.kafka import topics
from eventlog.kafka.feed import KafkaFeed
from eventlog.kafka.sink import KafkaSink
from eventlog.leased import Leased
from eventlog.port import Recorded
from eventlog.relay import Relay
from eventlog.sql.leases import Leases
from rescind.position import BEGINNING, Position
from services.access import Access
from services.checkpoint_mac import sign_with
from services.cluster.credential import Credential, read_credential
from services.cluster.opening import Opened
from services.cluster.relay import Road
from services.cluster.settings import ClusterSettings
from services.cluster.wiring import (
    LIST_SOURCE,
    REVOCATION,
    Peers,
    checkpoints,
    engine,
    everything,
    kafka,
    key,
    sessions_topic,
)
from services.migrating import require_schema
from services.revocation.api.parts import Parts
from services.revocation.api.router import router
from services.revocation.recovering import Recovering
from services.revocation.service import Revocation, new_id, open_revocation
from services.revocation.settings import RevocationSettings
from services.revocation.targets import Targets
from services.revocation.topic_road import TopicRoad
from services.roads.refill import SESSIONS, LogRefill
from services.roads.remote_access import RemoteAccess
from services.runtime import Loop, Service, Streams
from services.times import now_ms


def open_revocation_service(settings: ClusterSettings, streams: Streams, stack: ExitStack) -> Opened:
    """Put it together; CannotStart, EventLogError."""
    credential = read_credential(settings.credential)
    own = _settings(settings)
    opened = engine(stack, settings, REVOCATION)
    require_schema(opened, REVOCATION)
    revocation = open_revocation(opened, own, key(credential, "marks"))
    revocation.verifiers.load()
    leases = Leases(opened, revocation.tables.log.leases, new_id())
    peers = Peers(stack, settings, credential)
    remote = RemoteAccess(credential.iss, peers.issuer_keys(), audience=settings.audience, judge=revocation.judge, now=now_ms)
    outgoing = Road("revocations topic", lambda: _relay(settings, revocation), leases)
    topic = _topic_road(settings, peers, credential, revocation)
    incoming = Leased(leases, "sessions topic", topic.run)
    recovering = Recovering(revocation.log, revocation.tables, lambda: _own_topic(settings))
    sign = sign_with(key(credential, "checkpoints"))

    def ready() -> Mapping[str, str]:
        return {**revocation.ready(), **remote.ready()}

    loops = (
        *revocation.loops,
        Loop("issuer keys", remote.run),
        outgoing.loop(),
        Loop("sessions topic", incoming.run),
        Loop("recovering", Leased(leases, "recovering", recovering.run).run),
        checkpoints(settings, revocation.log, sign, lambda name, work: Leased(leases, name, work)),
    )
    service = Service(REVOCATION, router(Parts(revocation, Access(remote.check), streams)), loops, ready, revocation.measures)
    return Opened([replace(service, warnings=lambda: _warnings(outgoing, topic, recovering))])


def _warnings(outgoing: Road, incoming: TopicRoad, recovering: Recovering) -> Mapping[str, str]:
    """What does not get on by Kafka."""
    found = dict(outgoing.ready())
    if incoming.trouble:
        found["sessions topic"] = f"What issuers say does not come by Kafka: it {incoming.trouble}."
    if recovering.trouble:
        found["recovering"] = f"What this log said before a restore is not read back yet: {recovering.trouble}."
    return found


def _settings(settings: ClusterSettings) -> RevocationSettings:
    same = {made.name for made in fields(RevocationSettings)} & {made.name for made in fields(ClusterSettings)}
    return RevocationSettings(
        **{name: getattr(settings, name) for name in same}, access_life=settings.access_ttl + settings.clock_leeway
    )


def _relay(settings: ClusterSettings, revocation: Revocation) -> Relay:
    def restored(position: Position) -> None:
        revocation.history.lost(above=position.epoch, why="topic")

    log = revocation.log
    sink = KafkaSink(kafka(settings), topics.REVOCATIONS, iss=LIST_SOURCE, hash_at=log.hash_at, target=Targets(log))
    return Relay(
        log,
        sink,
        iss=LIST_SOURCE,
        cursor_name="kafka",
        carries=everything,
        applied=lambda: BEGINNING,
        live_sessions=lambda: 0,
        on_restored=restored,
    )


class _NoRefill:
    """What this log's own topic has lost, nobody else has."""

    def records(self, after: Position, *, limit: int) -> Sequence[Recorded]:  # noqa: ARG002  (the port's names)
        return ()


def _own_topic(settings: ClusterSettings) -> KafkaFeed:
    return KafkaFeed(kafka(settings), topics.REVOCATIONS, iss=LIST_SOURCE, refill=_NoRefill())


def _topic_road(settings: ClusterSettings, peers: Peers, credential: Credential, revocation: Revocation) -> TopicRoad:
    refill = LogRefill(peers.issuer("log:replicate"), SESSIONS)
    skew = revocation.settings.max_clock_skew_ms
    brokers, topic = kafka(settings), sessions_topic(settings)
    return TopicRoad(
        revocation.log,
        revocation.tables,
        revocation.intake,
        lambda: KafkaFeed(brokers, topic, iss=credential.iss, refill=refill, max_skew=skew),
        iss=credential.iss,
        max_skew=skew,
    )

"""The issuer of the cluster: any number of processes over one database, ready without the revocation service."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from fastapi import FastAPI
from maxminddb import InvalidDatabaseError

from eventlog.kafka.sink import KafkaSink
from eventlog.leased import Leased
from eventlog.sql.leases import Leases
from rescind.position import Position
from services.access import SCOPES, Access
from services.checkpoint_mac import signer
from services.cluster.credential import read_credential
from services.cluster.opening import Opened
from services.cluster.own_token import OwnToken
from services.cluster.settings import ClusterSettings
from services.cluster.way_back import WayBack
from services.cluster.wiring import (
    ISSUER,
    Peers,
    checkpoints,
    derived,
    engine,
    issuer_settings,
    kafka,
    key,
    sessions_topic,
)
from services.cluster.witnessing import agree
from services.issuer.api.addresses import parse_network
from services.issuer.api.origins import Origins, install_cors, origin_of, own_origins
from services.issuer.api.parts import Parts
from services.issuer.api.router import router
from services.issuer.api.throttling import Limits, Throttle, open_storage
from services.issuer.wiring import Issuer, new_id, open_issuer
from services.migrating import require_schema
from services.roads.express import ExpressSink
from services.roads.service_token import ServiceToken
from services.runtime import CannotStart, Loop, Service, Streams
from services.times import now_ms


def open_issuer_service(settings: ClusterSettings, streams: Streams, stack: ExitStack) -> Opened:
    """Put it together; CannotStart, EventLogError."""
    credential = read_credential(settings.credential)
    master = key(credential, "master")
    opened = engine(stack, settings, ISSUER)
    require_schema(opened, ISSUER)
    try:
        issuer = open_issuer(opened, issuer_settings(settings, credential.iss), master, own_scopes=frozenset(SCOPES))
    except (OSError, InvalidDatabaseError) as error:
        msg = f"Cannot read {settings.asn_database}: it must be a readable mmdb file. Correct --asn-database."
        raise CannotStart(msg) from error
    leases = Leases(opened, issuer.log.tables.leases, new_id())
    origins = Origins(own_origins(settings.public_url or credential.iss), frozenset(map(origin_of, settings.allowed_origin)))
    peer = Peers(stack, settings, credential).revocation_with(ServiceToken(OwnToken(issuer.clients, credential.client_id).ask))
    express = ExpressSink(peer, credential.iss)
    agree(issuer, [express.position, lambda: _in_topic(settings, credential.iss, issuer)])
    back = WayBack(kafka(settings), peer, issuer.following)
    loops = (
        *issuer.loops,
        Loop("way back", Leased(leases, "way back", back.run).run),
        checkpoints(settings, issuer.log, signer(master), lambda name, work: Leased(leases, name, work)),
    )

    def ready() -> Mapping[str, str]:
        issuer.log.head()  # where the database does not answer, the probe says so
        return {}

    service = Service(ISSUER, router(_parts(issuer, settings, origins, streams, master)), loops, ready, warnings=back.warnings)

    def dress(app: FastAPI) -> None:
        install_cors(app, origins)

    return Opened([service], dress)


def _in_topic(settings: ClusterSettings, iss: str, issuer: Issuer) -> Position | None:
    sink = KafkaSink(kafka(settings), sessions_topic(settings), iss=iss, hash_at=issuer.log.hash_at)
    try:
        return sink.position()
    finally:
        sink.close()


def _parts(issuer: Issuer, settings: ClusterSettings, origins: Origins, streams: Streams, master: bytes) -> Parts:
    limits = Limits(settings.account_failures, settings.network_failures, settings.failure_window)
    return Parts(
        iss=issuer.settings.iss,
        url=settings.public_url,
        sessions=issuer.sessions,
        subjects=issuer.subjects,
        clients=issuer.clients,
        keys=issuer.keys,
        log=issuer.session_log,
        access=Access(issuer.access.check, issuer.sessions.verify),
        origins=origins,
        throttle=Throttle(limits, open_storage("memory://")),
        device_key=derived(master, "device cookies"),
        streams=streams,
        now=now_ms,
        proxies=[parse_network(each) for each in settings.trusted_proxy],
    )

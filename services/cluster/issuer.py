"""The issuer of the cluster: any number of processes over one database, ready without the revocation service."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from threading import Event

from fastapi import FastAPI
from maxminddb import InvalidDatabaseError

from eventlog.errors import EventLogError
from eventlog.kafka import topics
from eventlog.kafka.feed import KafkaFeed
from eventlog.leased import Leased
from eventlog.projecting import Lag, run
from eventlog.sql.leases import Leases
from services.access import SCOPES, Access
from services.checkpoint_mac import signer
from services.cluster.credential import Credential, read_credential
from services.cluster.opening import Opened
from services.cluster.settings import ClusterSettings
from services.cluster.wiring import (
    ISSUER,
    LIST_SOURCE,
    Peers,
    checkpoints,
    derived,
    engine,
    issuer_settings,
    kafka,
    key,
)
from services.issuer.api.addresses import parse_network
from services.issuer.api.origins import Origins, install_cors, origin_of, own_origins
from services.issuer.api.parts import Parts
from services.issuer.api.router import router
from services.issuer.api.throttling import Limits, Throttle, open_storage
from services.issuer.wiring import Issuer, new_id, open_issuer
from services.migrating import require_schema
from services.roads.refill import REVOCATIONS, LogRefill
from services.roads.revocation_log import RevocationLogFeed, TwoWays
from services.roads.service_token import Granted, ServiceToken
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
    back = WayBack(settings, Peers(stack, settings, credential), credential, issuer)
    loops = (
        *issuer.loops,
        Loop("way back", Leased(leases, "way back", back.run).run),
        checkpoints(settings, issuer.log, signer(master), lambda name, work: Leased(leases, name, work)),
    )

    def ready() -> Mapping[str, str]:
        issuer.log.head()  # where the database does not answer, the probe says so
        return {}

    service = Service(ISSUER, router(_parts(issuer, settings, origins, streams, master)), loops, ready)

    def dress(app: FastAPI) -> None:
        install_cors(app, origins)

    return Opened([service], dress)


class WayBack:
    """What was revoked from outside comes into the issuer's records: over HTTP, and from the topic where HTTP fails.

    The issuer signs its own token: it needs no other process for that.
    """

    def __init__(self, settings: ClusterSettings, peers: Peers, credential: Credential, issuer: Issuer) -> None:
        self._issuer = issuer
        self._client_id = credential.client_id
        self._brokers = kafka(settings)
        self._peer = peers.revocation_with(ServiceToken(self._token))
        self.trouble = ""

    def run(self, stop: Event) -> None:
        """Follow until stopped."""
        second = KafkaFeed(self._brokers, topics.REVOCATIONS, iss=LIST_SOURCE, refill=LogRefill(self._peer, REVOCATIONS))
        feed = TwoWays(RevocationLogFeed(self._peer), second)
        try:
            run(feed, self._issuer.following, stop, report=self._report)
        finally:
            second.close()

    def _report(self, lag: Lag) -> None:
        self.trouble = lag.trouble

    def _token(self) -> Granted:
        client = self._issuer.clients.find(self._client_id)
        if client is None:
            raise EventLogError("the issuer's own client is not registered: run bootstrap")
        made = self._issuer.clients.token(client, "log:replicate")
        return Granted(made.token, made.expires_in)


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

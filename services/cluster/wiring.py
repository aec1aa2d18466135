"""What several services of the cluster are put together from: databases, Kafka, and each other over HTTP."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from threading import Event

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from sqlalchemy import Engine

from eventlog.checkpoints import export
from eventlog.kafka import topics
from eventlog.kafka.settings import KafkaSettings, Sasl
from eventlog.kafka.topics import Topic
from eventlog.leased import Leased
from eventlog.sql.engine import open_engine
from eventlog.sql.log import SqlLog
from rescind.http_keys import fetch_key_set
from rescind.jwks import RemoteKeys
from services.checkpoint_mac import Sign
from services.cluster.credential import Credential
from services.cluster.settings import ClusterSettings
from services.issuer.settings import IssuerSettings
from services.roads.peer import Peer
from services.roads.remote_access import ALGORITHMS
from services.roads.service_token import ServiceToken, ask_issuer
from services.roads.several import AnyOf
from services.roads.wire import Wire
from services.runtime import CannotStart, Loop

ISSUER, RELAY, REVOCATION, ANOMALY = "issuer", "relay", "revocation", "anomaly"
LIST_SOURCE = "urn:rescind:revocations"
"""`ce_source` of what the revocation service's own log says."""


def everything(_: str) -> bool:
    """What a topic carries: also events that a newer version has written, and this one does not know."""
    return True


def derived(master: bytes, purpose: str) -> bytes:
    """A key for one purpose, from the installation's secret."""
    return HKDFExpand(hashes.SHA256(), 32, b"rescind " + purpose.encode()).derive(master)


def engine(stack: ExitStack, settings: ClusterSettings, room: str) -> Engine:
    """The room's schema. CannotStart without --database; StoreUnavailable."""
    if not settings.database:
        raise CannotStart("--database is missing: give RESCIND_DATABASE.")
    opened = open_engine(settings.database, schema=room)
    stack.callback(opened.dispose)
    return opened


def kafka(settings: ClusterSettings) -> KafkaSettings:
    """How to reach Kafka. CannotStart without --kafka."""
    if not settings.kafka:
        raise CannotStart("--kafka is missing: name the brokers.")
    sasl = Sasl(settings.kafka_username, settings.kafka_password) if settings.kafka_username else None
    if settings.kafka_ca:
        trusting(settings.kafka_ca, "--kafka-ca")  # kafka-python would only say that it is late
    return KafkaSettings(settings.kafka, ca_file=str(settings.kafka_ca or ""), sasl=sasl)


def trusting(authorities: Path | None, option: str) -> ssl.SSLContext:
    """Who these authorities vouch for is believed, or those of the system. CannotStart where the file holds none."""
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:  # ssl.SSLError is one, too
        msg = f"Cannot use {authorities}: {option} must name a readable PEM file with certificates."
        raise CannotStart(msg) from error


def sessions_topic(settings: ClusterSettings) -> Topic:
    """The topic of the session log."""
    return replace(topics.SESSIONS, partitions=settings.kafka_partitions)


def issuer_settings(settings: ClusterSettings, iss: str) -> IssuerSettings:
    """The issuer's part of the settings."""
    same = {made.name for made in fields(IssuerSettings)} & {made.name for made in fields(ClusterSettings)}
    return IssuerSettings(
        **{name: getattr(settings, name) for name in same - {"asn_database"}},
        iss=iss,
        asn_database=str(settings.asn_database or ""),
        password_change_ends_all=settings.password_change == "all",  # noqa: S105  (a choice, no secret)
    )


@dataclass(frozen=True, slots=True)
class Peers:
    """The other services, spoken to as who the credential says. What is opened is closed with `stack`."""

    stack: ExitStack
    settings: ClusterSettings
    credential: Credential

    @property
    def tls(self) -> ssl.SSLContext:
        """Whom to trust. CannotStart."""
        return trusting(self.settings.ca, "--ca")

    def issuer(self, scope: str) -> Peer:
        """The issuer, with a token of this scope from it."""
        return Peer(self._wires("the issuer", self.settings.issuer_url, "--issuer-url"), self._token(scope))

    def revocation(self, scope: str) -> Peer:
        """The revocation service, with a token of this scope from the issuer."""
        return self.revocation_with(self._token(scope))

    def revocation_with(self, token: ServiceToken) -> Peer:
        """The revocation service, with this token."""
        return Peer(self._wires("the revocation service", self.revocation_urls, "--revocation-url"), token)

    def issuer_keys(self) -> RemoteKeys:
        """The keys that the issuer publishes."""
        tls = self.tls
        asking = [
            partial(fetch_key_set, f"{url}/.well-known/jwks.json", tls)
            for url in _named(self.settings.issuer_url, "--issuer-url")
        ]

        def fetch() -> bytes:
            for ask in asking[:-1]:
                try:
                    return ask()
                except OSError:
                    continue  # the next one
            return asking[-1]()

        return RemoteKeys(fetch, algorithms=ALGORITHMS, clock=time.monotonic)

    @property
    def revocation_urls(self) -> tuple[str, ...]:
        """Where the revocation service answers."""
        return _named(self.settings.revocation_url, "--revocation-url")

    def _token(self, scope: str) -> ServiceToken:
        own = self.credential
        wires = self._wires("the issuer", self.settings.issuer_url, "--issuer-url")
        return ServiceToken(lambda: ask_issuer(wires, own.client_id, own.client_secret, scope))

    def _wires(self, who: str, urls: tuple[str, ...], option: str) -> AnyOf:
        wires = [Wire(who, url, tls=self.tls) for url in _named(urls, option)]
        for wire in wires:
            self.stack.callback(wire.close)
        return AnyOf(wires)


def checkpoints(
    settings: ClusterSettings, log: SqlLog, sign: Sign, lease: Callable[[str, Callable[[Event], None]], Leased]
) -> Loop:
    """The loop that exports a log's signed checkpoints; one process does it."""
    path = (settings.checkpoints or settings.data / "checkpoints") / f"{log.name}.jsonl"

    def run(stop: Event) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        export(log, path, sign, stop)

    return Loop(f"{log.name} checkpoints", lease("checkpoints", run).run)


def _named(urls: tuple[str, ...], option: str) -> tuple[str, ...]:
    if not urls:
        msg = f"{option} is missing: say where that service answers."
        raise CannotStart(msg)
    return urls


def key(credential: Credential, purpose: str) -> bytes:
    """One of the credential's secrets; CannotStart."""
    found: Mapping[str, bytes] = credential.keys
    if purpose not in found:
        raise CannotStart("--credential is another service's: name the file of this one.")
    return found[purpose]

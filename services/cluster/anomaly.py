"""The anomaly service of the cluster: follows the session topic, and commands with a credential of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from uuid import uuid4

from sqlalchemy import Engine

from eventlog.kafka.feed import KafkaFeed
from eventlog.sql.leases import Leases
from rescind.feed import Feed
from rescind.http_feed import HttpFeed
from rescind.issuers import Issuer
from rescind.jwks import RemoteKeys
from rescind.verifier import Verifier
from services.access import Access
from services.anomaly.policy import Action
from services.anomaly.service import Parts, Reading, shared_room
from services.anomaly.store import open_store
from services.cluster.credential import read_credential
from services.cluster.opening import Opened
from services.cluster.settings import ClusterSettings
from services.cluster.sharing import Sharing
from services.cluster.wiring import ANOMALY, Peers, engine, kafka, sessions_topic
from services.migrating import require_schema
from services.roads.any_feed import AnyFeed
from services.roads.refill import SESSIONS, LogRefill
from services.roads.remote_access import key_trouble
from services.roads.revoking import RemoteRevoke
from services.roads.subject_keys import IssuersKeys
from services.runtime import Streams

_SHARES = 4
"""So many processes have work at most; checkpoints are kept by share, so that the number stays."""


def open_anomaly(settings: ClusterSettings, _: Streams, stack: ExitStack) -> Opened:
    """Put it together; CannotStart, EventLogError."""
    credential = read_credential(settings.credential)
    opened = engine(stack, settings, ANOMALY)
    require_schema(opened, ANOMALY)
    peers = Peers(stack, settings, credential)
    keys = peers.issuer_keys()
    verifier = Verifier(
        issuers=Issuer(iss=credential.iss, keys=keys),
        audience=settings.audience,
        feed=partial(_feed, peers),
        leeway=settings.clock_leeway,
    )
    stack.callback(verifier.close)
    parts = Parts(
        store=open_store(opened),
        disclose=IssuersKeys(peers.issuer("log:personal")),
        revoke=RemoteRevoke(peers.revocation("revocations:automated"), credential.iss),
        access=Access(verifier.verify),
        action=Action(settings.anomaly_action),
    )
    holder = uuid4().hex
    sharing = Sharing(Leases(opened, parts.store.leases, holder), holder, _SHARES)
    readings = [_reading(settings, peers, stack, sharing, opened, share) for share in range(_SHARES)]
    service = shared_room(parts, readings)

    def ready() -> Mapping[str, str]:
        return {**service.ready(), **_lacks(verifier, keys)}

    return Opened([replace(service, loops=(*service.loops, sharing.loop), ready=ready)])


def _feed(peers: Peers) -> Feed:
    return AnyFeed([HttpFeed(url, peers.credential.verifier, tls=peers.tls) for url in peers.revocation_urls])


def _lacks(verifier: Verifier, keys: RemoteKeys) -> Mapping[str, str]:
    """Why callers cannot be checked."""
    if verifier.ready:
        return {}
    why = verifier.metrics().problem or ("it is being read" if keys.loaded else key_trouble(keys))
    return {"revocation list": f"The list that callers are checked against is not fresh: {why}."}


def _reading(settings: ClusterSettings, peers: Peers, stack: ExitStack, sharing: Sharing, opened: Engine, share: int) -> Reading:
    topic = sessions_topic(settings)
    feed = KafkaFeed(
        kafka(settings),
        topic,
        iss=peers.credential.iss,
        refill=LogRefill(peers.issuer("log:replicate"), SESSIONS),
        partitions=range(share, topic.partitions, _SHARES),
    )
    stack.callback(feed.close)
    name = f"sessions {share + 1} of {_SHARES}"
    return Reading(name, open_store(opened, part=name), feed, partial(sharing.alone, name))

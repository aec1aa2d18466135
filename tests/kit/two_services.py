"""An issuer and a revocation service apart, each behind a real uvicorn of its own, as in the cluster; clients get real tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kit.issuing import MASTER, cheap_hasher
from kit.revocation_service import KEY, SAME_HOST
from kit.serving import served
from kit.waiting import until
from limits.storage import MemoryStorage
from sqlalchemy import Engine

from eventlog.sql.engine import open_engine
from services.access import SCOPES, Access
from services.application import application
from services.issuer.api.origins import Origins, own_origins
from services.issuer.api.parts import Parts as IssuerParts
from services.issuer.api.router import router as issuer_router
from services.issuer.api.throttling import Limits, Throttle
from services.issuer.contexts import NewClient
from services.issuer.networks import Networks
from services.issuer.settings import IssuerSettings
from services.issuer.wiring import Issuer, open_issuer
from services.loops import Loops
from services.revocation.api.parts import Parts as RevocationParts
from services.revocation.api.router import router as revocation_router
from services.revocation.decisions.sources import Source
from services.revocation.service import Revocation, open_revocation
from services.revocation.settings import RevocationSettings
from services.roads.peer import Peer
from services.roads.remote_access import RemoteAccess, issuer_keys
from services.roads.service_token import ServiceToken, ask_issuer
from services.roads.wire import Wire
from services.runtime import Loop, Service, Streams
from services.server import address, listen
from services.times import now_ms


@dataclass(frozen=True, slots=True)
class TwoServices:
    """`relay_id` is the client that speaks for the issuer's log."""

    issuer: Issuer
    issuer_url: str
    revocation: Revocation
    revocation_url: str
    relay_id: str
    relay_secret: str
    closing: ExitStack

    @property
    def iss(self) -> str:
        return self.issuer.settings.iss

    def client(self, *scopes: str) -> tuple[str, str]:
        client, secret = self.issuer.clients.create(NewClient(name="service", scopes=scopes), by="admin:test")
        return client.id, secret

    def token(self, client_id: str, secret: str, scope: str) -> ServiceToken:
        wire = self.closing.enter_context(closing(Wire("the issuer", self.issuer_url)))
        return ServiceToken(partial(ask_issuer, wire, client_id, secret, scope))

    def relay_token(self) -> ServiceToken:
        return self.token(self.relay_id, self.relay_secret, "facts:write")

    def to_revocation(self, token: ServiceToken, *, url: str = "") -> Peer:
        return self._peer("the revocation service", url or self.revocation_url, token)

    def to_issuer(self, token: ServiceToken, *, url: str = "") -> Peer:
        return self._peer("the issuer", url or self.issuer_url, token)

    def _peer(self, who: str, url: str, token: ServiceToken) -> Peer:
        return Peer(self.closing.enter_context(closing(Wire(who, url, patience_s=5.0))), token)


@contextmanager
def two_services(folder: Path, *, settings: RevocationSettings = SAME_HOST) -> Iterator[TwoServices]:
    with ExitStack() as stack:
        issuer_engine, revocation_engine = (_engine(stack, folder, name) for name in ("issuer", "revocation"))
        issuer, issuer_url = stack.enter_context(_issuer(issuer_engine))
        revocation = open_revocation(revocation_engine, settings, KEY)
        revocation.create()
        relay, secret = issuer.clients.create(NewClient(name="relay", scopes=("facts:write", "log:replicate")), by="admin:test")
        revocation.sources.add(Source(iss=issuer.settings.iss, own=True, client_id=relay.id), by="bootstrap")
        revocation_url = stack.enter_context(_revocation(revocation, issuer.settings.iss, issuer_url))
        yield TwoServices(issuer, issuer_url, revocation, revocation_url, relay.id, secret, stack)


def _engine(stack: ExitStack, folder: Path, name: str) -> Engine:
    engine = open_engine(f"sqlite:///{folder / name}.db", schema=name)
    stack.callback(engine.dispose)
    return engine


@contextmanager
def _issuer(engine: Engine) -> Iterator[tuple[Issuer, str]]:
    listener, streams = listen("127.0.0.1", 0), Streams()
    url = address(listener, "127.0.0.1", tls=False)
    settings = IssuerSettings(iss=url)
    issuer = open_issuer(engine, settings, MASTER, own_scopes=frozenset(SCOPES), hasher=cheap_hasher, networks=Networks())
    issuer.create()
    parts = IssuerParts(
        iss=url,
        sessions=issuer.sessions,
        subjects=issuer.subjects,
        clients=issuer.clients,
        keys=issuer.keys,
        log=issuer.session_log,
        access=Access(issuer.access.check),
        origins=Origins(own_origins(url), frozenset()),
        throttle=Throttle(Limits(per_account=1000, per_network=1000), MemoryStorage()),
        device_key=b"k" * 32,
        streams=streams,
        now=now_ms,
    )
    loops = Loops(issuer.loops)
    with served(application([Service("issuer", issuer_router(parts))], loops, streams), streams, loops, listener):
        yield issuer, url


@contextmanager
def _revocation(revocation: Revocation, iss: str, issuer_url: str) -> Iterator[str]:
    listener, streams = listen("127.0.0.1", 0), Streams()
    remote = RemoteAccess(iss, issuer_keys(issuer_url), audience="rescind", judge=revocation.judge, now=now_ms)
    router = revocation_router(RevocationParts(revocation, Access(remote.check), streams))
    loops = Loops([*revocation.loops, Loop("issuer keys", remote.run)])
    service = Service("revocation", router, ready=lambda: {**revocation.ready(), **remote.ready()})
    with served(application([service], loops, streams), streams, loops, listener):
        until(lambda: not remote.ready())  # until then it rightly answers 503
        yield address(listener, "127.0.0.1", tls=False)

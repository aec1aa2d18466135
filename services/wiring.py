"""The composition root: opens what the settings name, and puts the rooms together. Nothing else opens a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from threading import Event

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from fastapi import FastAPI
from maxminddb import InvalidDatabaseError
from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import Engine, MetaData, func, inspect, select

from eventlog.checkpoints import export
from eventlog.errors import StoreUnavailable
from eventlog.sql.engine import open_engine
from eventlog.sql.log import SqlLog
from eventlog.sql.tables import log_tables
from services.access import SCOPES, Access
from services.anomaly.policy import Action
from services.anomaly.service import Parts as AnomalyParts
from services.anomaly.service import room as anomaly_room
from services.anomaly.store import open_store
from services.application import application
from services.checkpoint_mac import signer
from services.data_folder import master_key, open_folder
from services.embedded import Roads, both_checks, revoke_directly
from services.first_start import tell_credentials
from services.issuer.api.addresses import parse_network
from services.issuer.api.origins import Origins, install_cors, origin_of, own_origins
from services.issuer.api.parts import Parts as IssuerParts
from services.issuer.api.router import router as issuer_router
from services.issuer.api.throttling import Limits, Throttle, open_storage
from services.issuer.settings import IssuerSettings
from services.issuer.wiring import Issuer, open_issuer
from services.loops import Loops
from services.migrating import migrate
from services.revocation.api.parts import Parts as RevocationParts
from services.revocation.api.router import router as revocation_router
from services.revocation.decisions.sources import Source
from services.revocation.service import Revocation, open_revocation
from services.revocation.settings import RevocationSettings
from services.runtime import CannotStart, Loop, Service, Streams
from services.settings import Settings
from services.times import now_ms
from services.tracing import open_tracing

ISSUER, REVOCATION, ANOMALY = "issuer", "revocation", "anomaly"


@dataclass(frozen=True, slots=True)
class Running:
    """Everything that one process serves. `told`: where the first credentials were written, at a first start."""

    app: FastAPI
    streams: Streams
    loops: Loops
    told: Path | None


@contextmanager
def compose(settings: Settings, base_url: str) -> Iterator[Running]:
    """Put everything into one process that listens at `base_url`. CannotStart with one line; closes what it opened."""
    public_url = settings.public_url or base_url
    folder = open_folder(settings.data)
    master = master_key(folder)
    with ExitStack() as stack, _in_words(settings):
        databases = {room: _engine(stack, settings, room) for room in (ISSUER, REVOCATION, ANOMALY)}
        for room, database in databases.items():
            migrate(database, room)
        revocation = open_revocation(databases[REVOCATION], _revocation_settings(settings), _key(master, "marks"))
        revocation.create()
        iss = _iss(settings, revocation, public_url)
        own_scopes = frozenset(SCOPES)
        issuer = open_issuer(databases[ISSUER], _issuer_settings(settings, iss), master, own_scopes=own_scopes)
        issuer.create()
        told = tell_credentials(folder, issuer.clients, issuer.subjects, is_new=_is_new(issuer))
        roads = Roads(issuer, revocation)
        roads.relay.agree()  # before anything new gets a number: a log that was put back is noticed here
        access, streams = Access(partial(both_checks, issuer, revocation), issuer.sessions.verify), Streams()
        origins = Origins(own_origins(public_url), frozenset(origin_of(each) for each in settings.allowed_origin))
        services = (
            _issuer_service(issuer, settings, access, origins, streams, master),
            _revocation_service(revocation, settings, access, streams, master),
            roads.service(),
            _anomaly_service(databases[ANOMALY], settings, issuer, revocation, access),
        )
        loops = Loops([loop for service in services for loop in service.loops])
        app = application(services, loops, streams, tracing=_tracing(stack, settings))
        install_cors(app, origins)
        yield Running(app, streams, loops, told)


@contextmanager
def open_logs(settings: Settings) -> Iterator[Sequence[SqlLog]]:
    """The logs as they are stored, to look at. CannotStart when there are none."""
    with ExitStack() as stack, _in_words(settings):
        yield [_existing_log(stack, settings, name) for name in (ISSUER, REVOCATION)]


def _existing_log(stack: ExitStack, settings: Settings, name: str) -> SqlLog:
    tables = log_tables(MetaData())
    if settings.database or (settings.data / f"{name}.db").exists():
        engine = _engine(stack, settings, name)
        if inspect(engine).has_table(tables.events.name):
            return SqlLog(engine, tables, name=name)
    msg = f"There is no log of the {name} here. Check --data and --database."
    raise CannotStart(msg)


def checkpoint_file(settings: Settings, name: str) -> Path:
    """Where a log's signed checkpoints stand."""
    return (settings.checkpoints or settings.data / "checkpoints") / f"{name}.jsonl"


@contextmanager
def _in_words(settings: Settings) -> Iterator[None]:
    """Say in one line what an operator can mend."""
    try:
        yield
    except StoreUnavailable as error:
        where = "--database and that its server runs" if settings.database else f"the disk under {settings.data}"
        msg = f"The database cannot be used: {error}. Check {where}."
        raise CannotStart(msg) from error
    except (OSError, InvalidDatabaseError) as error:
        msg = f"Cannot read {settings.asn_database}: it must be a readable mmdb file. Correct --asn-database."
        raise CannotStart(msg) from error


def _engine(stack: ExitStack, settings: Settings, name: str) -> Engine:
    """A schema of the PostgreSQL, or a SQLite file, by the name of its room."""
    engine = open_engine(settings.database or f"sqlite:///{settings.data / name}.db", schema=name)
    stack.callback(engine.dispose)
    return engine


def _key(master: bytes, purpose: str) -> bytes:
    return HKDFExpand(hashes.SHA256(), 32, b"rescind " + purpose.encode()).derive(master)


def _iss(settings: Settings, revocation: Revocation, public_url: str) -> str:
    """The issuer's name: tokens and revocations hold it, so that the one of the first start stays."""
    known = [source.iss for source in revocation.sources.active() if source.own and not source.client_id]
    if settings.issuer and known and settings.issuer not in known:
        msg = f"This installation's issuer is {known[0]}, and its tokens and revocations say so: leave --issuer out."
        raise CannotStart(msg)
    iss = known[0] if known else settings.issuer or public_url
    revocation.sources.add(Source(iss=iss, own=True), by=ISSUER)
    return iss


def _issuer_settings(settings: Settings, iss: str) -> IssuerSettings:
    same = {made.name for made in fields(IssuerSettings)} & {made.name for made in fields(Settings)}
    return IssuerSettings(
        **{name: getattr(settings, name) for name in same - {"asn_database"}},
        iss=iss,
        asn_database=str(settings.asn_database or ""),
        password_change_ends_all=settings.password_change == "all",  # noqa: S105  (a choice, no secret)
    )


def _revocation_settings(settings: Settings) -> RevocationSettings:
    """The clock is the same as the issuer's: one server, or one machine."""
    same = {made.name for made in fields(RevocationSettings)} & {made.name for made in fields(Settings)}
    return RevocationSettings(
        **{name: getattr(settings, name) for name in same},
        access_life=settings.access_ttl + settings.clock_leeway,
        max_clock_skew_ms=0,
    )


def _issuer_service(
    issuer: Issuer, settings: Settings, access: Access, origins: Origins, streams: Streams, master: bytes
) -> Service:
    limits = Limits(settings.account_failures, settings.network_failures, settings.failure_window)
    parts = IssuerParts(
        iss=issuer.settings.iss,
        url=settings.public_url,
        sessions=issuer.sessions,
        subjects=issuer.subjects,
        clients=issuer.clients,
        keys=issuer.keys,
        log=issuer.session_log,
        access=access,
        origins=origins,
        throttle=Throttle(limits, open_storage("memory://")),
        device_key=_key(master, "device cookies"),
        streams=streams,
        now=now_ms,
        proxies=[parse_network(each) for each in settings.trusted_proxy],
    )
    loops = (*issuer.loops, _checkpoints(issuer.log, settings, master))
    return Service(ISSUER, issuer_router(parts), loops)


def _revocation_service(revocation: Revocation, settings: Settings, access: Access, streams: Streams, master: bytes) -> Service:
    parts = RevocationParts(revocation, access, streams)
    loops = (*revocation.loops, _checkpoints(revocation.log, settings, master))
    return Service(REVOCATION, revocation_router(parts), loops, revocation.ready, revocation.measures)


def _anomaly_service(database: Engine, settings: Settings, issuer: Issuer, revocation: Revocation, access: Access) -> Service:
    return anomaly_room(
        AnomalyParts(
            store=open_store(database),
            disclose=lambda subjects, reader: issuer.session_log.subject_keys(subjects, by=reader),
            revoke=revoke_directly(revocation.revocations, issuer.settings.iss),
            access=access,
            action=Action(settings.anomaly_action),
        ),
        issuer.log,
    )


def _checkpoints(log: SqlLog, settings: Settings, master: bytes) -> Loop:
    path = checkpoint_file(settings, log.name)

    def run(stop: Event) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        export(log, path, signer(master), stop)

    return Loop(f"{log.name} checkpoints", run)


def _is_new(issuer: Issuer) -> bool:
    """Whether nobody was registered yet but the built-in client."""
    clients = issuer.store.tables.clients
    with issuer.store.reading() as unit:
        return not unit.connection.execute(select(func.count()).select_from(clients).where(~clients.c.public)).scalar_one()


def _tracing(stack: ExitStack, settings: Settings) -> TracerProvider | None:
    if not settings.otel_endpoint:
        return None
    provider = open_tracing(settings.otel_endpoint)
    stack.callback(provider.shutdown)
    return provider

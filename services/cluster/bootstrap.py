"""`bootstrap`: once, or again for an upgrade: tables, the master key, who the services are, the first source, certificates."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import func, select

from services.access import SCOPES
from services.checkpoint_mac import checkpoint_key
from services.cluster.certificates import Authority
from services.cluster.credential import FILE, Credential, read_credential, write_credential
from services.cluster.settings import ClusterSettings
from services.cluster.wiring import ANOMALY, ISSUER, RELAY, REVOCATION, derived, engine, issuer_settings
from services.data_folder import master_key, open_folder
from services.first_start import tell_credentials
from services.issuer.contexts import NewClient
from services.issuer.wiring import Issuer, open_issuer
from services.migrating import migrate
from services.revocation.decisions.sources import Source
from services.revocation.service import Revocation, open_revocation
from services.revocation.settings import RevocationSettings
from services.runtime import CannotStart
from services.times import now_ms

_BY = "bootstrap"
_SCOPES: Mapping[str, tuple[str, ...]] = {
    ISSUER: ("log:replicate",),
    RELAY: ("facts:write",),
    REVOCATION: ("log:replicate",),
    ANOMALY: ("log:replicate", "log:personal", "revocations:automated"),
}
"""What each service may do at the others."""


def bootstrap(settings: ClusterSettings) -> None:
    """Make what is missing; several at once take turns. CannotStart, StoreUnavailable."""
    folder = open_folder(settings.credentials)
    with _alone(folder), ExitStack() as stack:
        _certificates(folder, settings)
        master = master_key(folder)
        databases = {room: engine(stack, settings, room) for room in (ISSUER, REVOCATION, ANOMALY)}
        for room, database in databases.items():
            migrate(database, room)
        revocation = open_revocation(databases[REVOCATION], RevocationSettings(), derived(master, "marks"))
        revocation.create()
        iss = _iss(settings, revocation)
        own = issuer_settings(settings, iss)
        issuer = open_issuer(databases[ISSUER], own, master, own_scopes=frozenset(SCOPES))
        issuer.create()
        tell_credentials(folder, issuer.clients, issuer.subjects, is_new=_is_new(issuer))
        keys = {
            ISSUER: {"master": master},
            RELAY: {"master": master},  # it signs its own token while every issuer process is dead
            REVOCATION: {"marks": derived(master, "marks"), "checkpoints": checkpoint_key(master)},
        }
        for name in _SCOPES:
            _credential(folder, name, issuer, revocation, keys.get(name, {}))
        relay = read_credential(folder / RELAY / FILE)
        revocation.sources.add(Source(iss=iss, own=True, client_id=relay.client_id), by=_BY)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _iss(settings: ClusterSettings, revocation: Revocation) -> str:
    """The issuer's name: tokens and revocations hold it, so that the one of the first time stays."""
    known = [source.iss for source in revocation.sources.active() if source.own]
    if settings.issuer and known and settings.issuer not in known:
        msg = f"This installation's issuer is {known[0]}, and its tokens and revocations say so: leave --issuer out."
        raise CannotStart(msg)
    iss = settings.issuer or (known[0] if known else settings.public_url)
    if not iss:
        raise CannotStart("--issuer is missing: give the URL by which tokens name their issuer.")
    return iss


def _credential(folder: Path, name: str, issuer: Issuer, revocation: Revocation, keys: Mapping[str, bytes]) -> None:
    """A client, and a verifier for who needs one; kept as long as its file and its client are there."""
    path = folder / name / FILE
    if path.exists():
        known = read_credential(path)
        if issuer.clients.authenticate(known.client_id, known.client_secret) and known.iss == issuer.settings.iss:
            if known.keys != keys:  # an earlier version's
                write_credential(path, replace(known, keys=keys))
            return
    client, secret = issuer.clients.create(NewClient(name=f"service:{name}", scopes=_SCOPES[name]), by=_BY)
    made = Credential(
        iss=issuer.settings.iss,
        client_id=client.id,
        client_secret=secret,
        keys=keys,
        verifier=_verifier(revocation, name) if name == ANOMALY else "",
    )
    write_credential(path, made)


def _verifier(revocation: Revocation, name: str) -> str:
    if name in revocation.verifiers.all():  # of an earlier credential, whose file is gone
        revocation.verifiers.remove(name)
    return revocation.verifiers.add(name)


def _certificates(folder: Path, settings: ClusterSettings) -> None:
    if not settings.certificate:
        return
    authority = Authority(folder / "ca", now_ms())
    hosts: dict[str, list[str]] = {}
    for each in settings.certificate:
        name, _, host = each.partition("=")
        hosts.setdefault(name, [name, "localhost", "127.0.0.1"]).extend(filter(None, [host]))
    for name, names in hosts.items():
        authority.issue(folder / name, names)


def _is_new(issuer: Issuer) -> bool:
    """Whether nobody was registered yet but the built-in client."""
    clients = issuer.store.tables.clients
    with issuer.store.reading() as unit:
        return not unit.connection.execute(select(func.count()).select_from(clients).where(~clients.c.public)).scalar_one()

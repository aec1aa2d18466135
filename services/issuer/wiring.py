"""The issuer put together: every part gets what it needs, and nothing reaches for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_bytes
from uuid import uuid4

from argon2 import PasswordHasher
from sqlalchemy import Engine, MetaData

from eventlog.deciding import Committer
from eventlog.sealing import CannotOpen
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from rescind.position import BEGINNING, Position
from services.issuer.beginning import Beginning
from services.issuer.checking import AccessCheck
from services.issuer.clients import Clients
from services.issuer.ending import Ending
from services.issuer.following import CURSOR, Following
from services.issuer.inspecting import Inspecting
from services.issuer.keys import Keys
from services.issuer.minting import Granted, Mint
from services.issuer.networks import Networks, open_networks
from services.issuer.passwords import Passwords, owasp_hasher
from services.issuer.rotating import Refresh, Rotating
from services.issuer.sessions import Sessions
from services.issuer.settings import IssuerSettings
from services.issuer.signing_in import SigningIn
from services.issuer.sql.session_log import SessionLog
from services.issuer.sql.store import Store
from services.issuer.sql.tables import IssuerTables, issuer_tables
from services.issuer.starting import Starting
from services.issuer.subjects import Subjects
from services.issuer.sweeping import LiveSessions, Sweeping
from services.issuer.vault import Vault
from services.runtime import CannotStart, Loop
from services.times import Now, now_ms

_WRONG_MASTER_KEY = "The master key does not open this database: restore the data folder that belongs to it."
_SKIPPED_NUMBERS = 2**24
"""More sessions than can have begun since the backup that a database was restored from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The issuer of one log. `access.check` is for services/access.py; `loops` belong into its process."""

    settings: IssuerSettings
    log: SqlLog
    store: Store
    sessions: Sessions
    subjects: Subjects
    clients: Clients
    keys: Keys
    session_log: SessionLog
    following: Following
    access: AccessCheck
    live_sessions: LiveSessions
    sweeping: Sweeping
    loops: Sequence[Loop]

    def create(self) -> None:
        """Make what is missing: tables, the first keys, the built-in client. Any number of processes may do so.

        CannotStart when the master key is not this database's.
        """
        self.log.create()
        try:
            self.keys.create()
        except CannotOpen:
            raise CannotStart(_WRONG_MASTER_KEY) from None
        self.clients.create_first_party()

    def restored(self) -> None:
        """Our database turned out to be a backup: numbers given since then are not given again."""
        self.store.write(lambda unit: unit.sessions.skip_numbers(_SKIPPED_NUMBERS))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a relay needs of the issuer's database, without any key. `restored`: see `Issuer.restored`."""

    log: SqlLog
    tables: IssuerTables
    live_sessions: LiveSessions

    def applied(self) -> Position:
        """Up to where the revocation log stands in the issuer's records."""
        checkpoint = self.log.cursor(None, CURSOR)
        return Position.parse(checkpoint) if checkpoint else BEGINNING

    def restored(self, position: Position) -> None:
        """The database was put back to an older state; `position`: how far the log had come at least."""
        self.log.raise_epoch(above=position.epoch)
        self.live_sessions.store.write(lambda unit: unit.sessions.skip_numbers(_SKIPPED_NUMBERS))


def open_outgoing(engine: Engine, now: Now = now_ms) -> Outgoing:
    """Put it together; nothing that is sealed can be opened with it."""
    tables = issuer_tables(MetaData())
    log = SqlLog(engine, tables.log, name="issuer")
    store = Store(log, tables, Vault(token_bytes(32)), new_id)
    return Outgoing(log, tables, LiveSessions(store, now))


def open_clients(engine: Engine, settings: IssuerSettings, master: bytes, *, own_scopes: frozenset[str]) -> Clients:
    """The OAuth clients alone, for who signs its own token."""
    tables = issuer_tables(MetaData())
    store = Store(SqlLog(engine, tables.log, name="issuer"), tables, Vault(master), new_id)
    return Clients(store, Keys(store, settings, now_ms, new_id), settings, now_ms, new_id, own_scopes)


def new_id() -> str:
    """A random id of 128 bits."""
    return uuid4().hex


def open_issuer(
    engine: Engine,
    settings: IssuerSettings,
    master: bytes,
    *,
    own_scopes: frozenset[str],
    now: Now = now_ms,
    hasher: Callable[[], PasswordHasher] = owasp_hasher,
    networks: Networks | None = None,
) -> Issuer:
    """Put the issuer together over an engine of its own. `master`: 32 secret bytes that are kept outside the database."""
    tables = issuer_tables(MetaData())
    log = SqlLog(engine, tables.log, name="issuer")
    store = Store(log, tables, Vault(master), new_id)
    keys = Keys(store, settings, now, new_id)
    clients = Clients(store, keys, settings, now, new_id, own_scopes)
    places = networks or open_networks(settings.asn_database)
    passwords = Passwords(hasher(), at_once=settings.password_hashes)
    inspecting = Inspecting(store, keys, settings, now)
    beginning = Beginning(keys, settings, now, new_id)
    committer: Committer[Refresh, Granted] = Committer(Rotating(store, keys, settings, now, new_id).commit, name="refreshes")
    sweeping = Sweeping(store, keys, settings, now)
    sessions = Sessions(
        signing_in=SigningIn(store, beginning, passwords, now, new_id),
        starting=Starting(store, beginning, settings, now, new_id, own_scopes),
        ending=Ending(store, inspecting, settings, now, new_id),
        inspecting=inspecting,
        committer=committer,
        mint=Mint(settings, clients.audience, new_id),
        store=store,
        keys=keys,
        networks=places,
        settings=settings,
        now=now,
    )
    return Issuer(
        settings=settings,
        log=log,
        store=store,
        sessions=sessions,
        subjects=Subjects(store, passwords, places, settings, now, new_id),
        clients=clients,
        keys=keys,
        session_log=SessionLog(store, now, new_id),
        following=Following(store, keys, settings, now, new_id),
        access=AccessCheck(inspecting, settings),
        live_sessions=LiveSessions(store, now),
        sweeping=sweeping,
        loops=(
            Loop("issuer refreshes", committer.run),
            Loop("issuer sequencer", Sequencer(log).run),
            Loop("issuer sweep", sweeping.run),
        ),
    )

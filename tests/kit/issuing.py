"""A whole issuer over a real database, with a clock that tests move."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from argon2 import PasswordHasher
from sqlalchemy import Engine

from eventlog.port import Recorded
from eventlog.sql.sequencer import Sequencer
from rescind.events.registry import AnyEvent, decode
from services.access import SCOPES
from services.issuer.contexts import Login, NewClient, RequestContext
from services.issuer.networks import Networks
from services.issuer.settings import IssuerSettings
from services.issuer.views import Client, Pair, Subject
from services.issuer.wiring import Issuer, open_issuer

ISS = "https://id.example"
START = 1_800_000_000_000
MASTER = b"0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"

HOME = RequestContext(ip="192.0.2.7", user_agent=CHROME, device="device-1")
ELSEWHERE = RequestContext(ip="198.51.100.9", user_agent=FIREFOX, device="device-2")

SETTINGS = IssuerSettings(iss=ISS)


@dataclass
class Clock:
    """Milliseconds since the epoch, moved by hand."""

    ms: int = START

    def __call__(self) -> int:
        return self.ms

    def pass_s(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


def cheap_hasher() -> PasswordHasher:
    """Argon2id as weak as it gets: tests count calls, not time."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class World:
    """An issuer, its clock and shortcuts. Refreshes are committed by `refresh` itself: no thread is needed."""

    issuer: Issuer
    clock: Clock
    seen: list[str] = field(default_factory=list)

    def account(self, username: str = "alice", *, scopes: tuple[str, ...] = ("read",)) -> Subject:
        return self.issuer.subjects.create(username, PASSWORD, scopes, by="admin:test")

    def client(self, *, scopes: tuple[str, ...] = ("sessions:write",), grants: tuple[str, ...] = ("cart", "pay")) -> Client:
        return self.issuer.clients.create(NewClient(name="shop", scopes=scopes, grants=grants), by="admin:test")[0]

    def sign_in(self, username: str = "alice", context: RequestContext = HOME, *, password: str = PASSWORD) -> Pair:
        return self.issuer.sessions.sign_in(Login(username=username, password=password), context)

    def bound(self, *, ip: str = "off", device: str = "off", context: RequestContext = HOME) -> Pair:
        login = Login(username="alice", password=PASSWORD, bind_ip=ip, bind_device=device)
        return self.issuer.sessions.sign_in(login, context)

    def refresh(self, token: str, context: RequestContext = HOME, *, client_id: str = "") -> Pair:
        answer = self.issuer.sessions.refresh(token, context, client_id=client_id)
        self.issuer.sessions.committer.step()
        return answer.result(timeout=30)

    def records(self) -> list[Recorded]:
        Sequencer(self.issuer.log).number()
        return list(self.issuer.log.read(limit=10_000).records)

    def events(self, *, sid: str = "") -> list[AnyEvent]:
        """All events, or those of one session, in order."""
        return [decode(each.event.type, each.event.data) for each in self.records() if not sid or each.event.session == sid]

    def names(self, *, sid: str = "") -> list[str]:
        return [type(each).__name__ for each in self.events(sid=sid)]


def open_world(
    engine: Engine, *, networks: Networks | None = None, settings: IssuerSettings = SETTINGS, clock: Clock | None = None
) -> World:
    """A new issuer, or a second process's view of the same database."""
    now = clock or Clock()
    issuer = open_issuer(
        engine,
        settings,
        MASTER,
        own_scopes=frozenset(SCOPES),
        now=now,
        hasher=cheap_hasher,
        networks=networks or Networks(),
    )
    issuer.create()
    return World(issuer, now)


@contextmanager
def running(issuer: Issuer) -> Iterator[None]:
    """The issuer's loops, in threads."""
    stop = threading.Event()
    threads = [threading.Thread(target=loop.run, args=(stop,), name=loop.name) for loop in issuer.loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def settings(**changes: int | str | bool) -> IssuerSettings:
    """The documented defaults but for `changes`."""
    return replace(SETTINGS, **changes)  # type: ignore[arg-type]

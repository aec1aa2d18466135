"""A revocation service behind real HTTP, with a token for every scope, and an issuer's relay of a few lines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from kit.serving import serving
from sqlalchemy import Engine

from eventlog.port import Event, Recorded
from eventlog.relay import Post
from eventlog.source_mark import SourceMark
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.events.registry import AnyEvent, encode
from rescind.position import BEGINNING, Position
from services.access import Access
from services.revocation.api.parts import Parts
from services.revocation.api.router import router
from services.revocation.decisions.sources import Source
from services.revocation.service import Revocation, open_revocation
from services.revocation.settings import RevocationSettings
from services.revocation.sql.clock import database_now
from services.runtime import Service, Streams

ISS = "https://id.example"
KEY = b"k" * 32
SAME_HOST = RevocationSettings(max_clock_skew_ms=0)


def check(token: str) -> Claims | Denied:
    """The token `scope+scope@client` is good; a person's begins with `sid/`."""
    scopes, at, client = token.partition("@")
    if not at:
        return Denied(Denial.MALFORMED, "the token is malformed")
    sid, slash, rest = scopes.rpartition("/")
    return Claims(
        iss=ISS,
        sub=client,
        aud=("rescind",),
        exp=2**40,
        iat=0,
        jti="j",
        client_id=client,
        sid=sid if slash else None,
        scope=frozenset(rest.split("+")),
    )


def bearer(scopes: str, client: str = "back-end") -> dict[str, str]:
    return {"Authorization": f"Bearer {scopes}@{client}"}


@dataclass
class Issuer:
    """Says things in a log of its own and posts them, like the relay."""

    revocation: Revocation
    iss: str = ISS
    head: Position = field(default_factory=lambda: Position(1, 0))
    sent: Position = BEGINNING
    applied: Position = BEGINNING
    live_sessions: int = 1000
    ids: Iterator[int] = field(default_factory=itertools.count)

    def says(self, *events: AnyEvent, at: int | None = None) -> Post:
        """The post with these events and a watermark of now."""
        now = self.now()
        records = tuple(self._record(event, now if at is None else at) for event in events)
        mark = SourceMark(self.head, now, self.applied, self.live_sessions)
        return Post(self.iss, self.sent, records, mark)

    def send(self, *events: AnyEvent) -> Position:
        self.sent = self.revocation.intake.accept(self.says(*events))
        return self.sent

    def now(self) -> int:
        with self.revocation.log.engine.connect() as connection:
            return database_now(connection)

    def _record(self, event: AnyEvent, at: int) -> Recorded:
        self.head = Position(self.head.epoch, self.head.seq + 1)
        wire, data = encode(event)
        return Recorded("s", self.head.seq, Event(id=f"{self.iss} {next(self.ids)}", type=wire, time=at, data=data), self.head)


@contextmanager
def opened(engine: Engine, settings: RevocationSettings = SAME_HOST, **more: Callable[[], float]) -> Iterator[Revocation]:
    """The service without its loops, with one source."""
    revocation = open_revocation(engine, settings, KEY, **more)
    revocation.create()
    revocation.sources.add(Source(iss=ISS, own=True, client_id="relay"), by="bootstrap")
    yield revocation


@dataclass
class Served:
    url: str
    revocation: Revocation
    streams: Streams
    http: httpx.Client

    def post(
        self, path: str, body: Mapping[str, object] | Sequence[object], scopes: str, client: str = "back-end"
    ) -> httpx.Response:
        return self.http.post(path, json=body, headers=bearer(scopes, client))

    def stop_streams(self) -> None:
        """As the process does when it stops."""
        loop = self.revocation.feed.loop
        assert loop is not None
        loop.call_soon_threadsafe(self.streams.end)

    def get(self, path: str, scopes: str) -> httpx.Response:
        return self.http.get(path, headers=bearer(scopes))

    def verifier(self, name: str = "api") -> str:
        answer = self.post("/v1/verifiers", {"name": name}, "verifiers:write")
        assert answer.status_code == 201, answer.text
        return str(answer.json()["credential"])


@contextmanager
def served(revocation: Revocation, *, without: Sequence[str] = ()) -> Iterator[Served]:
    """Behind HTTP, with its loops but for those `without`."""
    streams = Streams()
    api = router(Parts(revocation, Access(check), streams))
    loops = [loop for loop in revocation.loops if loop.name not in without]
    service = Service("revocation", api, loops, ready=revocation.ready, measures=revocation.measures)
    with serving(service, streams=streams) as url, httpx.Client(base_url=url, timeout=10) as http:
        yield Served(url, revocation, streams, http)

"""The issuer's routes behind real HTTP, over fakes of its use cases that answer what a test scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from kit.pairs import NOW, pair
from limits.storage import MemoryStorage

from eventlog.port import Recorded
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.position import Position
from services.access import Access
from services.application import application
from services.issuer.api.addresses import parse_network
from services.issuer.api.origins import Origins, install_cors, own_origins
from services.issuer.api.parts import Parts
from services.issuer.api.router import router
from services.issuer.api.throttling import Limits, Throttle
from services.issuer.clients import Clients
from services.issuer.contexts import Login, LogQuery, NewClient, RequestContext, StartSession
from services.issuer.errors import InvalidToken, NoActiveAccount, NotFound
from services.issuer.keys import Keys
from services.issuer.sessions import Sessions
from services.issuer.sql.session_log import SessionLog
from services.issuer.subjects import Subjects
from services.issuer.views import AccessToken, Client, LogEntry, LogPage, Pair, RegisteredClient, SessionView, Subject
from services.loops import Loops
from services.runtime import Service, Streams
from services.server import listen, serve, server

ISS = "https://id.example"
PARTNER = "https://app.example"
SECRET = "s3:cret+/ä"


def opened() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class Script:
    """What the fakes do: `error` is raised by every call while it is set; `calls` notes what was asked.

    Sign-ins wait at the `gate`.
    """

    error: Exception | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)
    token_scope: str = "read write"
    gate: threading.Event = field(default_factory=opened)

    def note(self, *call: object) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error


class Fake:
    """Takes the place of a use case, whose own dataclass would be frozen."""

    __setattr__ = object.__setattr__


class FakeSessions(Fake, Sessions):
    def __init__(self, script: Script) -> None:
        self._script = script
        self.generation = 1
        self.views = [view("sid-1"), view("sid-2", place="Lyon")]

    def sign_in(self, login: Login, context: RequestContext) -> Pair:
        self._script.note("sign_in", login, context)
        assert self._script.gate.wait(30)
        if login.password != "right":
            raise NoActiveAccount
        self.generation = 1
        return pair(1, remember_me=login.remember_me)

    def start(self, client: Client, start: StartSession, context: RequestContext) -> Pair:
        self._script.note("start", client, start, context)
        return pair(1)

    def refresh(self, token: str, context: RequestContext, *, client_id: str = "") -> Future[Pair]:
        future: Future[Pair] = Future()
        try:
            self._script.note("refresh", token, context, client_id)
            if "." not in token:
                raise InvalidToken  # noqa: TRY301  (goes into the future)
            self.generation += 1
            future.set_result(pair(self.generation))
        except Exception as error:  # noqa: BLE001  (as the committer does)
            future.set_exception(error)
        return future

    def verify(self, token: str) -> None:
        self._script.note("verify", token)

    def logout(self, token: str) -> None:
        self._script.note("logout", token)

    def revoke(self, token: str, client: Client) -> None:
        self._script.note("revoke", token, client)

    def introspect(self, token: str, client: Client) -> Mapping[str, object] | None:
        self._script.note("introspect", token, client)
        return {"sub": "s", "scope": self._script.token_scope} if token != "dead" else None

    def of_subject(self, subject_id: str) -> Sequence[SessionView]:
        self._script.note("of_subject", subject_id)
        return self.views

    def end(self, subject_id: str, sid: str, *, by: str) -> None:
        self._script.note("end", subject_id, sid, by)
        self._own(sid)

    def end_many(self, subject_id: str, *, keep_sid: str | None, by: str) -> int:
        self._script.note("end_many", subject_id, keep_sid, by)
        return 3

    def rename(self, subject_id: str, sid: str, name: str) -> None:
        self._script.note("rename", subject_id, sid, name)
        self._own(sid)

    def change_claims(self, client: Client, sid: str, scopes: Sequence[str] | None, claims: Mapping[str, object] | None) -> None:
        self._script.note("change_claims", client, sid, scopes, claims)
        self._own(sid)

    def _own(self, sid: str) -> None:
        if sid not in [own.sid for own in self.views]:
            raise NotFound


def view(sid: str, *, place: str | None = None) -> SessionView:
    return SessionView(
        sid=sid,
        device_name=None,
        browser="Firefox",
        os="Linux",
        ip="198.51.100.7",
        place=place,
        created=NOW,
        last_seen=NOW,
        expires=NOW,
        remember_me=False,
        client_id="first-party",
    )


class FakeSubjects(Fake, Subjects):
    def __init__(self, script: Script) -> None:
        self._script = script

    def create(self, username: str, password: str, scopes: Sequence[str], *, by: str) -> Subject:
        self._script.note("create", username, password, tuple(scopes), by)
        return subject("new", scopes)

    def find(self, sub: str) -> Subject:
        if self._script.error is None and sub not in {"person", "auth0|7/x", "boss"}:
            raise NotFound
        return subject(sub, ())

    def set_scopes(self, sub: str, scopes: Sequence[str], *, by: str) -> Subject:
        self._script.note("set_scopes", sub, tuple(scopes), by)
        return subject(self.find(sub).sub, scopes)

    def disable(self, sub: str, *, by: str) -> None:
        self._script.note("disable", self.find(sub).sub, by)

    def enable(self, sub: str, *, by: str) -> None:
        self._script.note("enable", self.find(sub).sub, by)

    def set_password(self, sub: str, password: str, *, by: str) -> None:
        self._script.note("set_password", self.find(sub).sub, password, by)

    def change_password(self, subject_id: str, old: str, new: str, *, current_sid: str | None, context: RequestContext) -> None:
        self._script.note("change_password", subject_id, old, new, current_sid, context)

    def forget(self, sub: str, *, by: str) -> None:
        self._script.note("forget", self.find(sub).sub, by)


def subject(sub: str, scopes: Sequence[str]) -> Subject:
    return Subject(id=f"log-{sub}", sub=sub, client_id="", scopes=frozenset(scopes), disabled=False, created=NOW)


BACK_END = Client(
    id="back end", name="shop", scopes=frozenset({"sessions:write"}), grants=frozenset({"read"}), audience="a", public=False
)
PUBLIC = Client(id="first-party", name="first-party", scopes=frozenset(), grants=frozenset(), audience="a", public=True)


class FakeClients(Fake, Clients):
    def __init__(self, script: Script) -> None:
        self._script = script

    def create(self, new: NewClient, *, by: str) -> tuple[Client, str]:
        self._script.note("create_client", new, by)
        made = Client(
            id="c1",
            name=new.name,
            scopes=frozenset(new.scopes),
            grants=frozenset(new.grants),
            audience=new.audience or "rescind",
            public=False,
        )
        return made, "shown once"

    def page(self, after: str, limit: int) -> Sequence[RegisteredClient]:
        self._script.note("clients", after, limit)
        rotated = RegisteredClient(client=BACK_END, created=NOW, previous_until=NOW + 1000)
        return [RegisteredClient(client=PUBLIC, created=NOW, previous_until=0), rotated][:limit]

    def rotate_secret(self, client_id: str, *, overlap: int, by: str) -> tuple[str, int]:
        self._script.note("rotate_secret", self._one(client_id), overlap, by)
        return "shown once", NOW + overlap * 1000

    def delete(self, client_id: str, *, by: str) -> None:
        self._script.note("delete_client", self._one(client_id), by)

    def _one(self, client_id: str) -> str:
        if self.find(client_id) is None:
            raise NotFound
        return client_id

    def find(self, client_id: str) -> Client | None:
        return {each.id: each for each in (BACK_END, PUBLIC)}.get(client_id)

    def authenticate(self, client_id: str, secret: str) -> Client | None:
        return BACK_END if (client_id, secret) == (BACK_END.id, SECRET) else None

    def token(self, client: Client, scope: str | None) -> AccessToken:
        self._script.note("client_token", client, scope)
        return AccessToken(token="machine", expires_in=900, scope=scope or "sessions:write")


class FakeKeys(Fake, Keys):
    def __init__(self, script: Script) -> None:
        self._script = script

    def rotate(self, use: str, *, by: str) -> str:
        self._script.note("rotate", use, by)
        return "kid-2"

    def jwks(self) -> Mapping[str, object]:
        return {"keys": [{"kid": "kid-1"}]}


class FakeLog(Fake, SessionLog):
    """`entries` may grow while a stream reads."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.entries: list[LogEntry] = []

    def read(self, query: LogQuery, *, with_personal_for: str | None) -> LogPage:
        self._script.note("read", query, with_personal_for)
        after = Position.parse(query.after or "0.0")
        left = [entry for entry in tuple(self.entries) if Position.parse(entry.position) > after]
        page = tuple(left[: query.limit])
        return LogPage(entries=page, next=page[-1].position if len(left) > len(page) else None)

    def records(self, after: Position, *, limit: int) -> Sequence[Recorded]:
        self._script.note("records", after, limit)
        return ()

    def subject_keys(self, subject_ids: Sequence[str], *, by: str) -> Mapping[str, bytes]:
        self._script.note("subject_keys", tuple(subject_ids), by)
        return dict.fromkeys(subject_ids, b"\x00" * 32)


def check(token: str) -> Claims | Denied:
    """A fake of access tokens: `SUB;SID;SCOPES`, `SID` empty for a machine, or a Denial's name; anything else is malformed."""
    if token in set(Denial):
        return Denied(Denial(token), "It is refused.")
    if token.count(";") != 2:
        return Denied(Denial.MALFORMED, "This is no access token.")
    sub, sid, scopes = token.split(";")
    client = "first-party" if sid else BACK_END.id
    return Claims(
        iss=ISS,
        sub=sub,
        aud=("rescind",),
        exp=NOW,
        iat=NOW,
        jti="j",
        client_id=client,
        sid=sid or None,
        scope=frozenset(scopes.split()),
    )


def bearer(sub: str = "person", sid: str = "sid-1", scopes: str = "") -> dict[str, str]:
    return {"Authorization": f"Bearer {sub};{sid};{scopes}"}


@dataclass
class Issuer:
    """A served issuer and its fakes."""

    url: str
    script: Script
    sessions: FakeSessions
    log: FakeLog
    stop: Callable[[], None]


@contextmanager
def serving_issuer(*, limits: Limits | None = None, allowed: Sequence[str] = (PARTNER,)) -> Iterator[Issuer]:
    """The issuer's routes on a free port; its own origin is the address that it listens on."""
    script, streams = Script(), Streams()
    sessions, log = FakeSessions(script), FakeLog(script)
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    parts = Parts(
        iss=ISS,
        sessions=sessions,
        subjects=FakeSubjects(script),
        clients=FakeClients(script),
        keys=FakeKeys(script),
        log=log,
        access=Access(check),
        origins=Origins(own_origins(url), frozenset(allowed)),
        throttle=Throttle(limits or Limits(per_account=1000, per_network=1000), MemoryStorage()),
        device_key=b"k" * 32,
        streams=streams,
        now=lambda: NOW,
        proxies=[parse_network("127.0.0.1")],
    )
    loops = Loops([])
    app = application([Service("issuer", router(parts))], loops, streams)
    install_cors(app, parts.origins)
    running = server(app, streams)
    thread = threading.Thread(target=serve, args=(running, listener, loops), daemon=True)
    thread.start()

    def stop() -> None:
        running.should_exit = True

    try:
        yield Issuer(url, script, sessions, log, stop)
    finally:
        stop()
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"

"""Access tokens at a service that is not their issuer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi.security import HTTPAuthorizationCredentials
from kit.issuing import PASSWORD
from kit.raw_server import HTML, raw_server
from kit.two_services import TwoServices
from kit.waiting import until

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.vocabulary import Reason, TargetType
from services.access import Access
from services.issuer.contexts import Login, RequestContext
from services.principal import Principal
from services.problems import Problem
from services.revocation.decisions.commands import MakeRevocation
from services.roads.remote_access import RemoteAccess, issuer_keys
from services.times import now_ms

ADMIN = Principal("admin", "admin", None, -1, frozenset({"admin"}))


def accepts(_: Claims) -> Denied | None:
    return None


def remote(apart: TwoServices, *, audience: str = "rescind", iss: str = "", ahead_s: int = 0) -> RemoteAccess:
    def now() -> int:
        return now_ms() + ahead_s * 1000

    keys = issuer_keys(apart.issuer_url + "/")
    return RemoteAccess(iss or apart.iss, keys, audience=audience, judge=accepts, now=now)


def test_who_calls_and_what_he_may(apart: TwoServices) -> None:
    claims = remote(apart).check(apart.relay_token().current())
    assert isinstance(claims, Claims)
    assert (claims.client_id, claims.sid, claims.scope) == (apart.relay_id, None, frozenset({"facts:write"}))


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"audience": "shop"}, Denial.WRONG_AUDIENCE),
        ({"iss": "https://other.example"}, Denial.WRONG_ISSUER),
        ({"ahead_s": 3600}, Denial.EXPIRED),
        ({"ahead_s": -3600}, Denial.NOT_YET_VALID),
    ],
)
def test_what_is_not_for_us_is_refused(apart: TwoServices, other: dict[str, object], reason: Denial) -> None:
    denied = remote(apart, **other).check(apart.relay_token().current())  # type: ignore[arg-type]
    assert isinstance(denied, Denied)
    assert denied.reason is reason


@pytest.mark.parametrize("token", ["", "a.b.c", "ä", "\ud800", "x" * 10_000, "eyJhbGciOiJub25lIn0.e30."])
def test_rubbish_is_refused(apart: TwoServices, token: str) -> None:
    assert isinstance(remote(apart).check(token), Denied)


def test_an_ended_session_is_refused_as_soon_as_the_list_says_so(apart: TwoServices) -> None:
    """The issuer's own check would look into its database; here the list alone says it."""
    apart.issuer.subjects.create("alice", PASSWORD, ("admin",), by="admin:test")
    pair = apart.issuer.sessions.sign_in(Login(username="alice", password=PASSWORD), RequestContext(known=False))
    with httpx.Client(base_url=apart.revocation_url, headers={"Authorization": f"Bearer {pair.access}"}, timeout=10) as http:
        assert http.get("/v1/sources").status_code == 200
        wanted = MakeRevocation(target_type=TargetType.SESSION, target_id=pair.sid, reason=Reason.COMPROMISED)
        apart.revocation.revocations.make(wanted, ADMIN)
        until(lambda: len(apart.revocation.projector.listed) == 1)
        refused = http.get("/v1/sources")
    assert (refused.status_code, refused.json()["reason"]) == (401, "session_revoked")


@pytest.mark.parametrize("answers", [(HTML,), (b"",)])
def test_without_the_issuers_keys_callers_are_asked_to_come_again(apart: TwoServices, answers: tuple[bytes, ...]) -> None:
    with raw_server(*answers) as silent:
        access = RemoteAccess(apart.iss, issuer_keys(silent.url), audience="rescind", judge=accepts, now=now_ms)
        token = apart.relay_token().current()
        denied = access.check(token)
    assert isinstance(denied, Denied)
    assert denied.reason is Denial.NOT_READY
    assert list(access.ready()) == ["issuer keys"]
    with pytest.raises(Problem) as problem:
        Access(access.check).require("facts:write")(HTTPAuthorizationCredentials(scheme="Bearer", credentials=token))
    assert (problem.value.status, problem.value.code) == (503, "retry")


def test_control_with_keys_an_unknown_one_is_an_invalid_token(apart: TwoServices) -> None:
    access = remote(apart)
    token = apart.relay_token().current()
    assert isinstance(access.check(token), Claims)
    assert access.ready() == {}
    apart.issuer.keys.rotate("access", by="admin:test")
    forged = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5vYm9keSIsInR5cCI6ImF0K2p3dCJ9." + ".".join(token.split(".")[1:])
    denied = access.check(forged)
    assert isinstance(denied, Denied)
    assert denied.reason is Denial.UNKNOWN_KEY


def test_known_keys_outlive_their_issuer(apart: TwoServices) -> None:
    """All issuer processes dead: who has a token is served on."""
    access, token = remote(apart), apart.relay_token().current()
    assert isinstance(access.check(token), Claims)
    apart.closing.pop_all().close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(apart.issuer_url)
    assert isinstance(access.check(token), Claims)


def test_keys_are_loaded_before_anybody_asks(apart: TwoServices) -> None:
    access, stop = remote(apart), threading.Event()
    assert access.ready()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(access.run, stop)
        until(lambda: not access.ready())
        stop.set()
        running.result(timeout=10)

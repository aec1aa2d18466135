"""The whole verifier over real HTTP: key set, feed, acknowledgements; and in a process that forks."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.feed_server import CREDENTIAL, FeedServer, ended, feed_server, lifted
from kit.tokens import AUD, Signer, claims

from rescind import Claims, Denial, Denied, Issuer, Verifier
from rescind.http_keys import fetch_key_set

SIGNER = Signer()


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        running.state.sources = {running.url}
        running.state.documents["/.well-known/jwks.json"] = json.dumps({"keys": [SIGNER.jwk]}).encode()
        yield running


@pytest.fixture
def verifier(server: FeedServer) -> Iterator[Verifier]:
    made = Verifier(issuers=server.url, audience=AUD, feed=server.url, credential=CREDENTIAL)
    yield made
    made.close()


def token(server: FeedServer, signer: Signer = SIGNER) -> bytes:
    now = int(time.time())
    return signer.token(claims(iss=server.url, iat=now, exp=now + 900, auth_time=now - 100))


def reason(answer: Claims | Denied) -> Denial | None:
    return answer.reason if isinstance(answer, Denied) else None


def eventually(what: Callable[[], bool]) -> None:
    done = threading.Event()
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline, "it never came to that"
        done.wait(0.01)


def test_from_the_first_call_to_a_revocation_and_back(server: FeedServer, verifier: Verifier) -> None:
    good = token(server)
    eventually(lambda: verifier.ready)
    assert reason(verifier.verify(good)) is None
    revoked = server.publish(ended(7, server.url), ack=True)
    assert reason(verifier.verify(good, min_seq=str(revoked))) is Denial.SESSION_REVOKED
    back = server.publish(lifted(7, server.url), ack=True)
    assert reason(verifier.verify(good)) in {None, Denial.SESSION_REVOKED}
    eventually(lambda: verifier.position == back)
    assert reason(verifier.verify(good, min_seq=str(back))) is None
    server.await_(lambda state: any(ack["at"] == str(back) for ack in state.acks))


def test_a_position_above_the_services_head_is_refused(server: FeedServer, verifier: Verifier) -> None:
    eventually(lambda: verifier.ready)
    assert reason(verifier.verify(token(server), min_seq="1.999")) is Denial.STALE


def test_a_new_key_is_fetched_once_it_signs(server: FeedServer) -> None:
    verifier = Verifier(issuers=server.url, audience=AUD, feed=server.url, credential=CREDENTIAL)
    server.state.documents.pop("/.well-known/jwks.json")
    assert reason(verifier.verify(token(server))) is Denial.UNKNOWN_KEY
    assert not verifier.ready
    server.state.documents["/.well-known/jwks.json"] = json.dumps({"keys": [SIGNER.jwk]}).encode()
    eventually(lambda: verifier.ready)
    assert reason(verifier.verify(token(server))) is None
    verifier.close()


def test_a_credential_that_is_refused_shows_in_the_metrics(server: FeedServer) -> None:
    verifier = Verifier(issuers=server.url, audience=AUD, feed=server.url, credential="wrong")
    eventually(lambda: "credential" in verifier.metrics().problem)
    assert not verifier.ready
    assert reason(verifier.verify(token(server))) is Denial.NOT_READY
    verifier.close()


def test_another_issuers_tokens_are_judged_by_sid(server: FeedServer) -> None:
    keycloak, realm = Signer.of("RS256", "rs"), "https://login.example/realms/shop"
    server.state.documents["/realm/certs"] = json.dumps({"keys": [keycloak.jwk]}).encode()
    foreign = Issuer(iss=realm, jwks_url=f"{server.url}/realm/certs", algorithms=("RS256",), typ="JWT", own=False)
    verifier = Verifier(issuers=[server.url, foreign], audience=AUD, feed=server.url, credential=CREDENTIAL)
    now = int(time.time())
    payload = claims(
        iss=realm, iat=now, exp=now + 300, sn=None, cv=None, auth_time=None, client_id=None, azp="shop", typ="Bearer"
    )
    good = keycloak.token(payload, typ="JWT")
    eventually(lambda: verifier.ready)
    assert reason(verifier.verify(good)) is None
    change = ended(7, realm)
    by_sid = type(change)(type(change.target)(change.target.type, realm, "session-1"), change.verdict)
    revoked = server.publish(by_sid, ack=True)
    assert reason(verifier.verify(good, min_seq=str(revoked))) is Denial.SESSION_REVOKED
    verifier.close()


FORKING = """
import os, sys, threading
from rescind import Claims, Verifier
url, audience, credential = sys.argv[1:]
token = sys.stdin.read()
verifier = Verifier(issuers=url, audience=audience, feed=url, credential=credential)
def serves():
    for _ in range(1000):
        if verifier.ready:
            return isinstance(verifier.verify(token), Claims)
        threading.Event().wait(0.01)
    return False
assert serves()
child = os.fork()
if child == 0:
    os._exit(0 if serves() else 1)
_, status = os.waitpid(child, 0)
assert serves()
verifier.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_child_follows_by_itself_under_a_name_of_its_own(server: FeedServer, tmp_path: Path) -> None:
    script = tmp_path / "forking.py"
    script.write_text(FORKING)
    run = subprocess.run(
        [sys.executable, "-W", "ignore", script, server.url, AUD, CREDENTIAL],
        input=token(server).decode(),
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert run.returncode == 0, run.stderr
    assert len({ack["instance"] for ack in server.state.acks}) == 2


@contextmanager
def web_server(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Exchange(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_args: object) -> None:
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_address[1]}"
    finally:
        listener.shutdown()
        thread.join(5)
        listener.server_close()


def redirect(exchange: http.server.BaseHTTPRequestHandler) -> None:
    if exchange.path == "/keys":
        exchange.send_response(302)
        exchange.send_header("Location", "/elsewhere")
        exchange.end_headers()
    else:
        send(exchange, b'{"keys":[]}')


def send(exchange: http.server.BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    exchange.send_response(status)
    exchange.send_header("Content-Length", str(len(body)))
    exchange.end_headers()
    exchange.wfile.write(body)


@pytest.mark.parametrize(
    "answer",
    [
        redirect,
        lambda exchange: send(exchange, b"{}", 500),
        lambda exchange: send(exchange, b"x" * (256 * 1024 + 1)),
        lambda exchange: exchange.wfile.write(b"SSH-2.0-OpenSSH\r\n"),
    ],
)
def test_a_key_set_comes_from_the_configured_address_alone(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> None:
    with web_server(answer) as url, pytest.raises(OSError, match="key set's address"):
        fetch_key_set(f"{url}/keys")


def test_a_key_set_is_fetched_with_its_query() -> None:
    with web_server(lambda exchange: send(exchange, exchange.path.encode())) as url:
        assert fetch_key_set(f"{url}/keys?p=signin") == b"/keys?p=signin"
    with pytest.raises(OSError, match="refused"):
        fetch_key_set(f"{url}/keys")
    with pytest.raises(OSError, match="host"):
        fetch_key_set("http:///keys")

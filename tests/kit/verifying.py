"""An issuer and its feed on one address, and an ASGI app behind a real uvicorn, for tests of the SDK from end to end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from kit.feed_server import CREDENTIAL, FeedServer, ended, feed_server
from kit.tokens import Signer, claims

from rescind import Verifier
from rescind.asgi import App
from rescind.freshness import boot_clock
from rescind.position import Position

AUDIENCE = "rescind"


@dataclass(frozen=True)
class Platform:
    """Signs tokens and ends sessions."""

    feed: FeedServer
    signer: Signer = field(default_factory=Signer)

    @property
    def iss(self) -> str:
        return self.feed.url

    def token(self, sn: int = 1, *, jti: str = "t1", scope: str = "orders:read") -> str:
        now = int(time.time())
        payload = claims(
            iss=self.iss, aud=AUDIENCE, iat=now, exp=now + 900, auth_time=now, jti=jti, sn=sn, sid=f"s{sn}", scope=scope
        )
        return self.signer.token(payload).decode()

    def header(self, sn: int = 1, *, jti: str = "t1", scope: str = "orders:read") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(sn, jti=jti, scope=scope)}"}

    def end(self, sn: int = 1) -> Position:
        """End a session and wait until every verifier has said that it knows."""
        return self.applied(self.feed.publish(ended(sn, self.iss), ack=True))

    def applied(self, position: Position) -> Position:
        instances = {str(ack["instance"]) for ack in self.feed.state.acks}
        self.feed.await_(
            lambda state: instances <= {str(ack["instance"]) for ack in state.acks if Position.parse(str(ack["at"])) >= position}
        )
        return position


class JumpingClock:
    """The verifier's clock, which a test can set forward."""

    ahead = 0.0

    def __call__(self) -> float:
        return boot_clock() + self.ahead


@contextmanager
def platform() -> Iterator[Platform]:
    with feed_server() as feed:
        made = Platform(feed)
        feed.state.documents["/.well-known/jwks.json"] = json.dumps({"keys": [made.signer.jwk]}).encode()
        feed.state.sources = {made.iss}
        yield made


@contextmanager
def verifier_for(platform: Platform, *, feed: str = "", clock: JumpingClock | None = None) -> Iterator[Verifier]:
    """A verifier that is ready. Its staleness is 5 seconds, the least that is allowed."""
    verifier = Verifier(
        issuers=platform.iss,
        audience=AUDIENCE,
        feed=feed or platform.feed.url,
        credential=CREDENTIAL,
        max_staleness=5,
        clock=clock or boot_clock,
    )
    try:
        settled(verifier)
        yield verifier
    finally:
        verifier.close()


def settled(verifier: Verifier, *, ready: bool = True) -> None:
    until = time.monotonic() + 10
    pause = threading.Event()
    while verifier.ready is not ready:
        assert time.monotonic() < until, "the verifier never came to that"
        pause.wait(0.005)


@contextmanager
def served(app: App) -> Iterator[str]:
    """Yield the address, host and port, of the app behind uvicorn."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    listener.listen()  # from now on connections wait instead of being refused
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"

"""The verifier: `Verifier(...).verify(token)` says, without a network call, whether a token may still be accepted."""

from __future__ import annotations

import os
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rescind.access_token import Rules
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.feed import Feed
from rescind.follower import Follower, Listener
from rescind.freshness import LIST, Freshness, boot_clock
from rescind.http_feed import HttpFeed
from rescind.http_keys import fetch_key_set
from rescind.issuers import Issuer, read_issuers
from rescind.judging import Judging, Policy
from rescind.jwks import RemoteKeys
from rescind.keys import KeySource
from rescind.position import Position
from rescind.remembered import Memory

_LEAST_STALENESS = 5.0  # the feed answers 400 below it
_LOOK_AT_KEYS = 2.0  # seconds between looks whether a key set is due


@dataclass(frozen=True, slots=True)
class Measures:
    """What a verifier counts. `staleness` is seconds, infinite while nothing is proven; the counts begin with the process."""

    position: Position | None
    staleness: float
    ready: bool
    denials: Mapping[Denial, int]
    accepted_stale: int
    checked: int
    remembered: int
    connects: int
    snapshots: int
    deltas: int
    problem: str


class Verifier:
    """Checks access tokens locally, and follows the revocation list in the background.

    `issuers`: whose tokens count. `audience`: what this service is called in their `aud`. `feed`: the revocation service's base
    URL, and `credential` this verifier's own secret for it; or a function that makes another `Feed`. `policy`: what happens
    while freshness within `max_staleness` seconds cannot be proven: `strict` denies, `best_effort` allows and counts.
    `leeway`: seconds of difference between clocks. `name`: what the fleet's page calls this instance. `tls`: for https.
    Nothing starts before the first call in the process that serves, so it may be made before a server forks. ValueError for
    settings that make no sense.
    """

    def __init__(
        self,
        *,
        issuers: str | Issuer | Sequence[str | Issuer],
        audience: str | Sequence[str],
        feed: str | Callable[[], Feed],
        credential: str = "",
        policy: Policy = "strict",
        max_staleness: float = 10.0,
        leeway: int = 30,
        name: str | None = None,
        tls: ssl.SSLContext | None = None,
        remember: int = 10_000,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = boot_clock,
    ) -> None:
        if max_staleness < _LEAST_STALENESS:
            raise ValueError("max_staleness is 5 seconds or more")
        if policy not in {"strict", "best_effort"}:
            raise ValueError("policy is strict or best_effort")
        self._issuers = read_issuers(issuers)
        self._audience = frozenset([audience] if isinstance(audience, str) else audience)
        if not self._audience or "" in self._audience:
            raise ValueError("audience names this service")
        self._feed = partial(HttpFeed, feed, credential, tls=tls, patience=max_staleness / 2) if isinstance(feed, str) else feed
        if isinstance(feed, str):
            self._feed()  # a feed address that makes no sense is an error now, not in a background thread
        self.policy: Policy = policy
        self._laxest: Policy = policy
        self._max_staleness, self._leeway = max_staleness, leeway
        self._name = name or socket.gethostname()
        self._tls, self._remember = tls, remember
        self._now, self._clock = now, clock
        self._serving: dict[int, _Process] = {}

    def has_route(self, policy: Policy) -> None:
        """Tell before the first request that a route has this policy: the revocation service is told the laxest of them."""
        if policy == "best_effort":
            self._laxest = policy

    def verify(self, token: bytes | str, *, min_seq: str | None = None, policy: Policy | None = None) -> Claims | Denied:
        """Say what the token claims, or why it is refused.

        `min_seq`: a position that must have been applied (`Rescind-Min-Seq`); waits for it, one second at most.
        """
        judging = self._here().judging
        encoded = token.encode("utf-8", "surrogatepass") if isinstance(token, str) else token
        answer = judging.verify(encoded, policy or self.policy)
        if min_seq is None or isinstance(answer, Denied):
            return answer  # only the holder of a good token can make us wait
        return judging.behind(min_seq) or judging.verify(encoded, policy or self.policy)

    def judge(self, claims: Claims, *, policy: Policy | None = None) -> Denied | None:
        """Say whether claims that were accepted earlier are revoked, or stale, by now; for responses that stay open."""
        return self._here().judging.again(claims, policy or self.policy)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of every change of the list, in the follower's thread; returns what ends it."""
        return self._here().judging.follower.subscribe(listener)

    def remembers(self, token: bytes) -> bool:
        """Whether `verify` would need no signature check and no key: an event loop can call it without blocking."""
        return self._here().judging.memory.get(token) is not None

    @property
    def ready(self) -> bool:
        """Whether this process can accept tokens now: list and keys loaded and, where the policy is strict, fresh."""
        here = self._here()
        if self.position is None or not all(keys.loaded for keys in here.own_keys):
            return False
        return self.policy == "best_effort" or self.staleness <= self._max_staleness

    @property
    def staleness(self) -> float:
        """Seconds since the list was provably complete, for the issuer that is worst off; infinite while unproven."""
        age_ms = self._here().judging.follower.freshness.age_ms
        return max(age_ms(issuer.iss if issuer.own else LIST) for issuer in self._issuers) / 1000

    @property
    def position(self) -> Position | None:
        """Up to where the list was applied; None before the first snapshot."""
        return self._here().judging.follower.local.position

    def metrics(self) -> Measures:
        """Count and measure."""
        judging = self._here().judging
        following = judging.follower.following()
        return Measures(
            position=following.position,
            staleness=self.staleness,
            ready=self.ready,
            denials=dict(judging.denials),
            accepted_stale=judging.accepted_stale,
            checked=judging.checked,
            remembered=len(judging.memory),
            connects=following.connects,
            snapshots=following.snapshots,
            deltas=following.deltas,
            problem=following.problem,
        )

    def close(self) -> None:
        """Stop following. Strict routes deny once what was learnt is older than `max_staleness`."""
        here = self._serving.get(os.getpid())
        if here is not None:
            here.close()

    def _here(self) -> _Process:
        """Give this process's part; a forked child inherits no threads, so it begins anew."""
        return self._serving.get(os.getpid()) or self._begin()

    def _begin(self) -> _Process:
        here = self._serving.setdefault(os.getpid(), self._build())  # of two threads that build at once, one wins
        here.start()
        return here

    def _build(self) -> _Process:
        memory = Memory(self._remember)
        keys = {issuer.iss: issuer.keys or self._remote_keys(issuer, memory) for issuer in self._issuers}
        rules = {issuer.iss: _rules(issuer, keys[issuer.iss]) for issuer in self._issuers}
        follower = Follower(
            self._feed(),
            instance=f"{self._name}-{os.getpid()}-{secrets.token_hex(3)}",
            policy=self._laxest,
            max_staleness=self._max_staleness,
            keep=max(issuer.max_life for issuer in self._issuers) + self._leeway,
            freshness=Freshness(self._clock),
        )
        judging = Judging(
            rules,
            memory,
            follower,
            audience=self._audience,
            max_staleness=self._max_staleness,
            leeway=self._leeway,
            now=self._now,
        )
        own = frozenset(issuer.iss for issuer in self._issuers if issuer.own)
        return _Process(judging, {iss: source for iss, source in keys.items() if isinstance(source, RemoteKeys)}, own)

    def _remote_keys(self, issuer: Issuer, memory: Memory) -> RemoteKeys:
        fetch = partial(fetch_key_set, issuer.keys_url, self._tls)
        return RemoteKeys(fetch, algorithms=issuer.algorithms, clock=time.monotonic, changed=memory.clear)


class _Process:
    """What a verifier has in one process: the judging half, and a thread that keeps key sets fresh."""

    def __init__(self, judging: Judging, keys: Mapping[str, RemoteKeys], own: frozenset[str]) -> None:
        self.judging = judging
        self.own_keys = [source for iss, source in keys.items() if iss in own]
        self._keys = tuple(keys.values())
        self._stop = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow, once."""
        with self._start:
            if self._thread is None:
                self.judging.follower.start()
                self._thread = threading.Thread(target=self._renew_keys, name="rescind-keys", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop both."""
        self._stop.set()
        self.judging.follower.close()

    def _renew_keys(self) -> None:
        while not self._stop.is_set():
            for keys in self._keys:
                keys.renew()
            self._stop.wait(_LOOK_AT_KEYS)


def _rules(issuer: Issuer, keys: KeySource) -> Rules:
    return Rules(
        iss=issuer.iss,
        keys=keys,
        algorithms=frozenset(issuer.algorithms),
        typ=issuer.typ.lower().removeprefix("application/"),
        own=issuer.own,
        max_life=issuer.max_life,
    )

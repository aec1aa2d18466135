"""One process's half of a verifier: keys, remembered tokens and a follower. The order of the checks is decided here."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

from rescind.access_token import Rules, check_access_token
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.follower import Follower
from rescind.freshness import LIST
from rescind.position import Position
from rescind.remembered import Memory, Remembered

Policy = Literal["strict", "best_effort"]

_WAIT = 1.0  # seconds
_EXPIRED = Denied(Denial.EXPIRED, "the token has expired")
_NO_POSITION = Denied(Denial.STALE, "Rescind-Min-Seq is no position")
_BEHIND = Denied(Denial.STALE, "this verifier has not reached the position that the request asks for")
_STALE = Denied(Denial.STALE, "this verifier cannot prove that it knows the newest revocations")


class Judging:
    """Threads may share it. `now` gives wall-clock seconds; `max_staleness` and `leeway` are seconds."""

    def __init__(
        self,
        rules: Mapping[str, Rules],
        memory: Memory,
        follower: Follower,
        *,
        audience: frozenset[str],
        max_staleness: float,
        leeway: int,
        now: Callable[[], float],
    ) -> None:
        self.denials: Counter[Denial] = Counter()
        self.accepted_stale = 0
        self.checked = 0
        self.memory = memory
        self.follower = follower
        self._rules = rules
        self._audience = audience
        self._max_age_ms = max_staleness * 1000
        self._leeway = leeway
        self._now = now
        self._local, self._age_ms = follower.local, follower.freshness.age_ms
        self._lock = threading.Lock()

    def verify(self, token: bytes, policy: Policy) -> Claims | Denied:
        """Signature and claims (once per token), expiry, freshness, revocation (again whenever the list has changed)."""
        now = self._now()
        known = self.memory.get(token)
        if known is None:
            checked = self._check(token, now)
            if isinstance(checked, Denied):
                return self._refuse(checked)
            known = checked
        elif now >= known.until:
            self.memory.forget(token)
            return self._refuse(_EXPIRED)
        stale = self._age_ms(known.source) > self._max_age_ms  # before the list is read: it can only become newer meanwhile
        version, denied = known.judged
        if version != self._local.version:
            denied = self._judge(known)
        if stale:
            denied = self._while_stale(denied, policy)
        return known.claims if denied is None else self._refuse(denied)

    def again(self, claims: Claims, policy: Policy) -> Denied | None:
        """Freshness and revocation of claims that were accepted earlier, whatever their expiry; counts nothing."""
        stale = self._age_ms(self._source(claims)) > self._max_age_ms
        return _STALE if stale and policy != "best_effort" else self._local.judge(claims)

    def behind(self, min_seq: str) -> Denied | None:
        """Wait, one second at most, until the list stands at a position that the request names; the refusal if it does not."""
        try:
            wanted = Position.parse(min_seq)
        except ValueError:
            return self._refuse(_NO_POSITION)
        return None if self.follower.wait_for(wanted, _WAIT) else self._refuse(_BEHIND)

    def _check(self, token: bytes, now: float) -> Remembered | Denied:
        keys = self.memory.keys
        claims = check_access_token(token, self._rules, audience=self._audience, now_s=now, leeway=self._leeway)
        self.checked += 1
        if isinstance(claims, Denied):
            return claims
        known = Remembered(claims, claims.exp + self._leeway, self._source(claims))
        self.memory.put(token, known, keys)
        return known

    def _source(self, claims: Claims) -> str:
        return claims.iss if self._rules[claims.iss].own else LIST

    def _judge(self, known: Remembered) -> Denied | None:
        version = self._local.version  # before judging: what changes meanwhile is judged again
        denied = self._local.judge(known.claims)
        known.judged = version, denied
        return denied

    def _while_stale(self, denied: Denied | None, policy: Policy) -> Denied | None:
        """What is not ready denies always; what is stale denies on strict routes, and elsewhere does its best and counts it."""
        if denied is not None and denied.reason is Denial.NOT_READY:
            return denied
        if policy != "best_effort":
            return _STALE
        if denied is None:
            with self._lock:
                self.accepted_stale += 1
        return denied

    def _refuse(self, denied: Denied) -> Denied:
        with self._lock:
            self.denials[denied.reason] += 1
        return denied

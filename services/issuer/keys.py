"""Signing keys: made, published ahead, rotated, retired, replaced when compromised."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from eventlog.errors import StoreUnavailable
from eventlog.sealing import new_key
from eventlog.sql.engine import lock
from rescind.events.administration import KeyRetired, KeyRotated
from rescind.keys import PublicKey
from services.issuer import signing
from services.issuer.decisions import keyring
from services.issuer.decisions.keyring import Key, Use
from services.issuer.errors import InvalidRequest
from services.issuer.key_set import KeyMaterial, KeySet
from services.issuer.settings import IssuerSettings
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.times import Now

_MAX_AGE_MS = 500  # how late another process's change is noticed where no transaction reads the keys anyway


class Keys:
    """The use cases of keys. Every method may raise EventLogError (answer: retry)."""

    def __init__(self, store: Store, settings: IssuerSettings, now: Now, new_id: Callable[[], str]) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._new_id = new_id
        self._material = KeyMaterial(store.vault)
        self._kept: tuple[int, KeySet] | None = None
        self._reading = threading.Lock()

    def create(self) -> None:
        """Make the first key of each use where there is none; CannotOpen when the others are another master key's."""
        self._store.write(self._first)
        self.now()

    def rotate(self, use: str, *, by: str) -> str:
        """Publish the next key for `use` (access or refresh); it signs after a while. Returns its kid. InvalidRequest."""
        if use not in list(Use):
            raise InvalidRequest({"use": "access or refresh"})
        ahead = self._settings.key_ahead * 1000 if use == Use.ACCESS else 0
        kid = self._store.write(lambda unit: self._rotate(unit, Use(use), self._now() + ahead, "rotation", by))
        self._kept = None
        return kid

    def jwks(self) -> Mapping[str, object]:
        """The JWK set (RFC 7517) of the access keys: the current, those ahead and those in overlap.

        While the database is away it is the one that was read last: verifiers that start then need it.
        """
        try:
            return self.now().jwks()
        except StoreUnavailable:
            kept = self._kept
            if kept is None:
                raise
            return kept[1].jwks()

    def key(self, kid: str) -> PublicKey | None:
        """A published access key; the KeySource of our own edge."""
        return self.now().public.get(kid)

    def refresh_key(self, kid: str) -> bytes | None:
        """A usable refresh key."""
        return self.now().secrets.get(kid)

    def now(self) -> KeySet:
        """The keys, read from the database at most half a second ago."""
        kept = self._kept
        if kept is None or not 0 <= self._now() - kept[0] < _MAX_AGE_MS:
            with self._reading, self._store.reading() as unit:
                return self.read(unit)
        return kept[1]

    def read(self, unit: Unit) -> KeySet:
        """The keys as this transaction sees them."""
        found = self._material.key_set(unit.signing_keys.all())
        self._kept = (self._now(), found)
        return found

    def retire(self) -> int:
        """Retire keys whose overlap is over; how many there were."""
        return self._store.write(self._retire)

    def revoke(self, unit: Unit, kid: str, *, by: str) -> bool:
        """A key of ours is compromised: it is dead for good, and the next one signs at once. False for a foreign or known one."""
        lock(unit.connection, "keys")
        keys = [stored.key for stored in unit.signing_keys.all()]
        key = next((each for each in keys if each.kid == kid and not each.revoked_at), None)
        if key is None:
            return False
        now = self._now()
        unit.signing_keys.save(replace(key, revoked_at=now))
        self._record(unit, KeyRetired(kid=kid, use=key.use.value, cause="compromised"))
        left = keyring.signing([each for each in keys if each.kid != kid], key.use, now)
        if left is None:
            self._rotate(unit, key.use, now, "compromised", by)
        elif left.signs_from > now:
            unit.signing_keys.save(replace(left, signs_from=now))
        self._kept = None
        return True

    def _first(self, unit: Unit) -> None:
        """Of all uses in one transaction: else two that begin at once with two master keys would leave a key of each."""
        lock(unit.connection, "keys")
        keys = [stored.key for stored in unit.signing_keys.all()]
        for use in Use:
            if keyring.signing(keys, use, self._now()) is None:
                self._rotate(unit, use, self._now(), "first", "issuer")

    def _rotate(self, unit: Unit, use: Use, signs_from: int, cause: str, by: str) -> str:
        lock(unit.connection, "keys")
        algorithm = self._settings.algorithm if use is Use.ACCESS else "HS256"
        kid = self._new_id()[:16]
        secret = signing.generate(algorithm) if use is Use.ACCESS else new_key()
        others = [stored.key.signs_from for stored in unit.signing_keys.all() if stored.key.use is use]
        key = Key(kid=kid, use=use, algorithm=algorithm, signs_from=max([signs_from, *(each + 1 for each in others)]))
        unit.signing_keys.add(key, self._store.vault.wrap(kid, secret))
        self._record(unit, KeyRotated(kid=kid, use=use.value, cause=cause, by=by))
        return kid

    def _retire(self, unit: Unit) -> int:
        settings = self._settings
        lives = {
            Use.ACCESS: settings.access_ttl + settings.clock_leeway,
            Use.REFRESH: max(settings.refresh_ttl, settings.remember_ttl),
        }
        lock(unit.connection, "keys")
        now = self._now()
        keys = [stored.key for stored in unit.signing_keys.all()]
        over = [key for use, life in lives.items() for key in keyring.over(keys, use, now, life * 1000)]
        for key in over:
            unit.signing_keys.save(replace(key, retired_at=now))
            self._record(unit, KeyRetired(kid=key.kid, use=key.use.value, cause="overlap_over"))
        return len(over)

    def _record(self, unit: Unit, event: KeyRotated | KeyRetired) -> None:
        stream = f"key-{event.use}"
        recorded = sum(entry.stream == stream for entry in unit.entries)
        version = self._store.log.versions(unit.connection, [stream])[stream] + recorded + 1
        unit.record(stream, version, event, now=self._now())

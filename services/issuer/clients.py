"""OAuth clients."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from rescind.events.administration import ClientCreated, ClientDeleted, ClientSecretRotated
from rescind.vocabulary import Effect, Reason, TargetType
from services.issuer.contexts import NewClient
from services.issuer.decisions import access_claims, names, scopes
from services.issuer.decisions.access_claims import Audience
from services.issuer.decisions.restriction import Restriction
from services.issuer.decisions.scopes import words
from services.issuer.errors import Conflict, InvalidRequest, NotFound
from services.issuer.keys import Keys
from services.issuer.settings import IssuerSettings
from services.issuer.sql.client_rows import StoredClient
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.issuer.views import AccessToken, Client, RegisteredClient
from services.times import Now

FIRST_PARTY = "first-party"
"""The built-in public client that the sessions of /api/token/ belong to."""

_SECRET_BYTES = 32


class Clients:
    """The use cases of clients. Every method may raise EventLogError (answer: retry)."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        settings: IssuerSettings,
        now: Now,
        new_id: Callable[[], str],
        own_scopes: frozenset[str],
    ) -> None:
        self._store = store
        self._keys = keys
        self._settings = settings
        self._now = now
        self._new_id = new_id
        self._own_scopes = own_scopes
        self._known: dict[str, Client] = {}  # what never changes of it, and nobody can make this grow but admins

    def create(self, new: NewClient, *, by: str) -> tuple[Client, str]:
        """Register a client and return its secret, "" for a public one; the secret is shown once. InvalidRequest."""
        if not names.is_name(new.name):
            raise InvalidRequest({"name": "A name has 1 to 255 printable characters."})
        if new.audience and not names.is_name(new.audience):
            raise InvalidRequest({"audience": "An audience has 1 to 255 printable characters."})
        client = Client(
            id=self._new_id(),
            name=new.name,
            scopes=scopes.parse(new.scopes),
            grants=scopes.parse(new.grants, field="grants"),
            audience=new.audience,
            public=new.public,
        )
        secret = "" if new.public else secrets.token_urlsafe(_SECRET_BYTES)
        self._store.write(lambda unit: self._add(unit, client, secret, by))
        return client, secret

    def page(self, after: str, limit: int) -> Sequence[RegisteredClient]:
        """Up to `limit` clients in the order of their ids, behind this one."""
        with self._store.reading() as unit:
            found = unit.clients.page(after, limit)
        return [RegisteredClient(client=each.client, created=each.created, previous_until=each.previous_until) for each in found]

    def rotate_secret(self, client_id: str, *, overlap: int, by: str) -> tuple[str, int]:
        """Give a new secret, shown once, and until when (ms) the one before is good: `overlap` seconds. NotFound, Conflict."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)

        def work(unit: Unit) -> int:
            now, stored = self._now(), _changeable(unit, client_id)
            until = now + overlap * 1000
            version = stored.version + 1
            changed = replace(stored, secret=_digest(secret), previous=stored.secret, previous_until=until, version=version)
            unit.clients.save_secrets(changed)
            event = ClientSecretRotated(client_id=client_id, previous_until=until, by=by)
            unit.record(f"client-{client_id}", version, event, now=now)
            return until

        return secret, self._store.write(work)

    def delete(self, client_id: str, *, by: str) -> None:
        """Refuse its secret, its own tokens and those of its sessions from now on, for good. NotFound, Conflict."""

        def work(unit: Unit) -> None:
            now, stored = self._now(), _changeable(unit, client_id)
            revocation_id = self._new_id()
            unit.clients.remove(client_id)
            gone = Restriction(id=revocation_id, effect=Effect.END, reason=Reason.ADMIN, at=now, whole=True, forever=True)
            unit.restrictions.add(TargetType.CLIENT, client_id, gone)
            event = ClientDeleted(revocation_id=revocation_id, client_id=client_id, by=by)
            unit.record(f"client-{client_id}", stored.version + 1, event, now=now)

        self._store.write(work)
        self._known.pop(client_id, None)

    def create_first_party(self) -> None:
        """Make the built-in client where it is missing."""
        client = Client(
            id=FIRST_PARTY,
            name="Rescind",
            scopes=frozenset(),
            grants=frozenset(),
            audience="",
            public=True,
        )

        def work(unit: Unit) -> None:
            if unit.clients.find(FIRST_PARTY) is None:
                self._add(unit, client, "", "issuer")

        self._store.write(work)

    def find(self, client_id: str) -> Client | None:
        """Look up by id. What another process has deleted may still be found: its tokens are refused all the same."""
        found = self._known.get(client_id)
        if found is None and (stored := self._stored(client_id)):
            found = self._known[client_id] = stored.client
        return found

    def authenticate(self, client_id: str, secret: str) -> Client | None:
        """The client whose secret this is; None for an unknown or public client or a wrong secret."""
        found = self._stored(client_id)
        if found is None or found.client.public:
            return None
        good = [found.secret, *([found.previous] if self._now() < found.previous_until else [])]
        shown = _digest(secret)
        return found.client if any(hmac.compare_digest(shown, each) for each in good) else None

    def token(self, client: Client, scope: str | None) -> AccessToken:
        """An access token for the client itself (client_credentials); None asks for all its scopes. InvalidScope."""
        granted = scopes.narrowed(scope, client.scopes, self._own_scopes)
        now = self._now()
        audience = self.audience(client.id, granted)
        claims = access_claims.for_client(client, granted, audience, self._settings, jti=self._new_id(), now=now)
        token = self._keys.now().signer(now).access_token(claims)
        return AccessToken(token=token, expires_in=self._settings.access_ttl, scope=words(granted))

    def audience(self, client_id: str, granted: frozenset[str]) -> Audience:
        """Whom tokens of this client and of its sessions are for, when they have these scopes."""
        found = self.find(client_id)
        return access_claims.audience(found.audience if found else "", granted, self._settings, self._own_scopes)

    def _stored(self, client_id: str) -> StoredClient | None:
        if not names.is_name(client_id):
            return None
        with self._store.reading() as unit:
            return unit.clients.find(client_id)

    def _add(self, unit: Unit, client: Client, secret: str, by: str) -> None:
        now = self._now()
        unit.clients.add(StoredClient(client=client, secret=_digest(secret) if secret else b"", created=now))
        event = ClientCreated(client_id=client.id, scope=words(client.scopes), grants=words(client.grants), by=by)
        unit.record(f"client-{client.id}", 1, event, now=now)


def _changeable(unit: Unit, client_id: str) -> StoredClient:
    """The client, locked. NotFound; Conflict for one without a secret: the built-in one."""
    stored = unit.clients.find(client_id, lock=True)
    if stored is None:
        raise NotFound
    if stored.client.public:
        raise Conflict("A public client has no secret, and the built-in one stays.")
    return stored


def _digest(secret: str) -> bytes:
    """Enough for 256 random bits; a password would need Argon2."""
    return sha256(secret.encode(errors="replace")).digest()

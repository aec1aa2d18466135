"""OAuth clients."""

from __future__ import annotations

from services.issuer.contexts import NewClient
from services.issuer.views import AccessToken, Client


class Clients:
    """The use cases of clients. Every method may raise EventLogError (answer: retry)."""

    def create(self, new: NewClient, *, by: str) -> tuple[Client, str]:
        """Register a client and return its secret, "" for a public one; the secret is shown once. InvalidRequest."""
        raise NotImplementedError

    def find(self, client_id: str) -> Client | None:
        """Look up by id."""
        raise NotImplementedError

    def authenticate(self, client_id: str, secret: str) -> Client | None:
        """The client whose secret this is; None for an unknown or public client or a wrong secret."""
        raise NotImplementedError

    def token(self, client: Client, scope: str | None) -> AccessToken:
        """An access token for the client itself (client_credentials); None asks for all its scopes. InvalidScope."""
        raise NotImplementedError

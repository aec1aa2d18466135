"""An access token that a service signs for its own OAuth client, as the issuer would."""

from __future__ import annotations

from dataclasses import dataclass

from eventlog.errors import EventLogError
from services.issuer.clients import Clients
from services.roads.service_token import Granted


@dataclass(frozen=True, slots=True)
class OwnToken:
    """For a process that has the issuer's database and the master key: it needs no other process for that."""

    clients: Clients
    client_id: str

    def ask(self) -> Granted:
        """All that its client may do; EventLogError."""
        client = self.clients.find(self.client_id)
        if client is None:
            raise EventLogError("the issuer's own client is not registered: run bootstrap")
        made = self.clients.token(client, None)
        return Granted(made.token, made.expires_in)

"""Who wrote it: how a caller stands in the log."""

from __future__ import annotations

from services.issuer.api.parts import Parts
from services.issuer.views import Client
from services.principal import Principal
from services.problems import Problem


def author(parts: Parts, caller: Principal) -> str:
    """`client:ID` for a machine, `admin:ID` with the log's subject id for a person, whose platform name stays out of the log."""
    if caller.sid is None:
        return f"client:{caller.client_id}"
    return f"admin:{parts.subjects.find(caller.sub).id}"


def own_client(parts: Parts, caller: Principal) -> Client:
    """The client that calls in its own name; Problem 403 for a person's token."""
    client = parts.clients.find(caller.client_id) if caller.sid is None else None
    if client is None:
        raise Problem(403, "forbidden", "Only a client's own token (client_credentials) can do this.")
    return client

"""The first start: an administrator's client and account, told once in a file."""

from __future__ import annotations

import secrets
from pathlib import Path

from services.data_folder import write_credentials, write_private
from services.issuer.clients import Clients
from services.issuer.contexts import NewClient
from services.issuer.errors import Conflict
from services.issuer.subjects import Subjects
from services.principal import ADMIN

_UNFINISHED = ".first-start"
_BY = "issuer"


def tell_credentials(folder: Path, clients: Clients, subjects: Subjects, *, is_new: bool) -> Path | None:
    """Make both where the database is new, or where an earlier first start did not come to its end; the file's path then.

    Whoever deletes the file, having put it somewhere safe, gets no new one.
    """
    unfinished = folder / _UNFINISHED
    if not is_new and not unfinished.exists():
        return None
    write_private(unfinished, b"")
    client, secret = clients.create(NewClient(name="administrator", scopes=(ADMIN,)), by=_BY)
    username, password = _administrator(subjects)
    told = {"client_id": client.id, "client_secret": secret, "username": username, "password": password}
    path = write_credentials(folder, told)
    unfinished.unlink()
    return path


def _administrator(subjects: Subjects) -> tuple[str, str]:
    username, password = ADMIN, secrets.token_urlsafe(18)
    try:
        subjects.create(username, password, [ADMIN], by=_BY)
    except Conflict:
        username = f"{ADMIN}-{secrets.token_hex(3)}"
        subjects.create(username, password, [ADMIN], by=_BY)
    return username, password

"""What the issuer's routes are made of; the composition root fills it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.access import Access
from services.issuer.api.addresses import Network
from services.issuer.api.lanes import Lane
from services.issuer.api.origins import Origins
from services.issuer.api.throttling import Throttle
from services.issuer.clients import Clients
from services.issuer.keys import Keys
from services.issuer.sessions import Sessions
from services.issuer.sql.session_log import SessionLog
from services.issuer.subjects import Subjects
from services.runtime import Streams
from services.times import Now


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Use cases and the edge's own decisions.

    `iss` is the issuer's name, `url` where clients reach it ("": at `iss`). `device_key` proves device cookies (32 bytes).
    `passwords` is where people's passwords are checked.
    """

    iss: str
    url: str = ""
    sessions: Sessions
    subjects: Subjects
    clients: Clients
    keys: Keys
    log: SessionLog
    access: Access
    origins: Origins
    throttle: Throttle
    device_key: bytes = field(repr=False)
    streams: Streams
    now: Now
    proxies: Sequence[Network] = ()
    passwords: Lane = field(default_factory=lambda: Lane(width=8, waiting=256))

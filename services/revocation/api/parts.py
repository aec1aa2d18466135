"""What the routes are made of; the composition root fills it."""

from __future__ import annotations

from dataclasses import dataclass

from services.access import Access
from services.revocation.service import Revocation
from services.runtime import Streams


@dataclass(frozen=True, slots=True)
class Parts:
    """The service, who may call it, and the streams that end when the process stops."""

    revocation: Revocation
    access: Access
    streams: Streams

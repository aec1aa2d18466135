"""Where the story plays: base URLs and the first credentials. One process or a cluster, the story does not know."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_REVOCATION = ("/v1/revocations", "/v1/verifiers", "/v1/sources", "/v1/feed")
_ANOMALY = ("/v1/findings", "/v1/step-ups")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`apis`: name -> base URL of the resource servers, `orders` and `photos`.

    `rescind`: base URL of the issuer; `revocation` and `anomaly` are at the same one unless they are services of their own.
    `ca`: whom to trust with their certificates, unless the system does. `data`: the service's folder, if it is on this machine;
    `database`: its PostgreSQL, if it has one.
    """

    rescind: str
    apis: Mapping[str, str]
    client_id: str
    client_secret: str = field(repr=False)
    revocation: str = ""
    anomaly: str = ""
    ca: Path | None = None
    data: Path | None = None
    database: str = field(default="", repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """A JSON file with the fields' names."""
        given = json.loads(path.read_text("utf-8"))
        paths = {name: Path(given[name]) if given.get(name) else None for name in ("ca", "data")}
        return cls(**{**given, **paths})

    def url(self, path: str) -> str:
        """Where a path of the API is served."""
        owner = self.revocation if path.startswith(_REVOCATION) else self.anomaly if path.startswith(_ANOMALY) else ""
        return (owner or self.rescind) + path

    @property
    def tls(self) -> ssl.SSLContext:
        """How to speak https to it."""
        return ssl.create_default_context(cafile=self.ca)

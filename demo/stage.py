"""Where the story plays: base URLs and the first credentials. One process or a cluster, the story does not know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`apis`: name -> base URL of the resource servers, `orders` and `photos`.

    `data`: the service's folder, if it is on this machine; `database`: its PostgreSQL, if it has one.
    """

    rescind: str
    apis: Mapping[str, str]
    client_id: str
    client_secret: str = field(repr=False)
    data: Path | None = None
    database: str = field(default="", repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """A JSON file with the fields' names."""
        given = json.loads(path.read_text("utf-8"))
        data = Path(given["data"]) if given.get("data") else None
        return cls(**{**given, "data": data})

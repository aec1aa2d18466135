"""Snapshots on their way out: so many at one time."""

from __future__ import annotations

import asyncio

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from services.revocation.errors import TooManyReaders
from services.revocation.snapshots import Offered

_NOT_MODIFIED = 304
_PIECE = 256 * 1024
_WRITE_S = 10.0


class Loads:
    """How many are on their way. Belongs to the event loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._now = 0

    def begin(self) -> None:
        """One more; TooManyReaders over the limit."""
        if self._now >= self._limit:
            raise TooManyReaders("later")
        self._now += 1

    def end(self) -> None:
        """One less."""
        self._now -= 1


class SnapshotResponse(Response):
    """Immutable, with a strong ETag; 304 for who has it."""

    def __init__(self, offered: Offered, if_none_match: str, loads: Loads) -> None:
        tag = f'"{offered.digest}"'
        known = tag in (each.strip().removeprefix("W/") for each in if_none_match.split(","))
        headers = {"ETag": tag, "Cache-Control": "private, max-age=600, immutable"}
        if known:
            super().__init__(status_code=_NOT_MODIFIED, headers=headers)
        else:
            super().__init__(offered.data, headers=headers, media_type="application/octet-stream")
        loads.begin()
        self._loads = loads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (ASGI)
        """Write it."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            pieces = [self.body[at : at + _PIECE] for at in range(0, len(self.body), _PIECE)]
            for piece in pieces:  # so that the connection's buffer, and not our memory, sets the pace
                message = {"type": "http.response.body", "body": piece, "more_body": True}
                await asyncio.wait_for(send(message), _WRITE_S)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # too slow: the connection is closed
        finally:
            self._loads.end()

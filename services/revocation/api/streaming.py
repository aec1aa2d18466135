"""The response that writes a reader's frames to its connection."""

from __future__ import annotations

import asyncio

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from services.revocation.feed import Feed
from services.revocation.reader import Reader
from services.runtime import Streams

_WRITE_S = 10.0
_HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class FeedResponse(Response):
    """Ends with the reader, with the connection, or when one write takes too long."""

    def __init__(self, feed: Feed, reader: Reader, streams: Streams) -> None:
        super().__init__(media_type="text/event-stream")
        self._feed = feed
        self._reader = reader
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (ASGI)
        """Write until the end."""
        gone = asyncio.create_task(self._watch(receive))
        try:
            with self._streams.opened(self._reader.end):
                await send({"type": "http.response.start", "status": self.status_code, "headers": list(_HEADERS)})
                while piece := await self._reader.next():
                    await self._write(send, piece)
                if not self._reader.cut_off:
                    await self._write(send, b"", more=False)
        finally:
            self._feed.close(self._reader)
            gone.cancel()

    async def _write(self, send: Send, piece: bytes, *, more: bool = True) -> None:
        """Write in a task of its own, which the reader cancels when it gives up."""
        message = {"type": "http.response.body", "body": piece, "more_body": more}
        writer = asyncio.ensure_future(asyncio.wait_for(send(message), _WRITE_S))
        self._reader.writes(writer)
        try:
            await asyncio.wait([writer])
            if writer.cancelled() or writer.exception() is not None:
                self._reader.cut()
        except asyncio.CancelledError:
            writer.cancel()
            raise
        finally:
            self._reader.writes(None)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._reader.end()

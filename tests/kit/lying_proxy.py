"""A fault proxy that can also swallow requests and answer them itself, as if they had been taken."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

from kit.fault_proxy import UP, FaultProxy

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
_END = b"\r\n\r\n"


class LyingProxy(FaultProxy):
    """For a sender that has one request under way at a time."""

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(target)
        self._prefix = b""
        self._answer: Callable[[bytes], bytes] = lambda _: b""
        self._only: Callable[[bytes], bool] = lambda _: True
        self._lies = 0
        self._caught: dict[socket.socket, bytes] = {}
        self.told = 0

    def lie(
        self,
        prefix: bytes,
        answer: Callable[[bytes], bytes],
        *,
        times: int,
        only: Callable[[bytes], bool] = lambda _: True,
    ) -> None:
        """The next `times` requests that begin so go no further; `answer` gets the body and gives the whole answer.

        `only` gets the body and says whether it is one of those.
        """
        self._prefix, self._answer, self._only, self._lies = prefix, answer, only, times

    def tell_the_truth(self) -> None:
        self._lies = 0

    def _pass(self, sink: socket.socket, data: bytes, way: str, first: bytes) -> bool:
        if way == UP and self._lies and data.startswith(self._prefix):
            self._caught[sink] = b""
        if way != UP or sink not in self._caught:
            return super()._pass(sink, data, way, first)
        self._caught[sink] += data
        head, end, body = self._caught[sink].partition(_END)
        length = _LENGTH.search(head)
        if end and len(body) >= int(length[1] if length else 0):
            whole = self._caught.pop(sink)
            if not self._only(body):
                return super()._pass(sink, whole, way, first)
            self._lies -= 1
            self.told += 1
            self._client_of(sink).sendall(self._answer(body))
        return True

    def _client_of(self, server: socket.socket) -> socket.socket:
        return self._sockets[self._sockets.index(server) - 1]

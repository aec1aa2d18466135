"""Several processes of one service: the next is asked when one does not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from services.roads.errors import NoAnswer
from services.roads.wire import Answer


class Sends(Protocol):
    """What `Wire` and `AnyOf` do."""

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        content: bytes = b"",
        wait_s: float = 0.0,
    ) -> Answer:
        """One request; NoAnswer."""
        ...


class AnyOf:
    """Stays with the one that answered last. Any thread may call it."""

    def __init__(self, wires: Sequence[Sends]) -> None:
        self._wires = list(wires)
        self._first = 0

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        content: bytes = b"",
        wait_s: float = 0.0,
    ) -> Answer:
        """Ask one after the other until one answers, and not with 503; the last one's answer or NoAnswer counts."""
        first, count = self._first, len(self._wires)
        for place in range(first, first + count):
            last = place == first + count - 1
            try:
                answer = self._wires[place % count].send(
                    method, path, headers=headers, query=query, content=content, wait_s=wait_s
                )
            except NoAnswer:
                if last:
                    raise
                continue
            if answer.status != HTTPStatus.SERVICE_UNAVAILABLE or last:
                self._first = place % count
                return answer
        raise AssertionError("unreachable")

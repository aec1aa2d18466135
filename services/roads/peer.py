"""Another service, spoken to with this service's own access token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from services.roads.service_token import ServiceToken
from services.roads.several import Sends
from services.roads.wire import Answer

_JSON = {"Content-Type": "application/json"}


class Peer:
    """Any thread may call it. Every method may raise NoAnswer, or what the token's source raises: try again."""

    def __init__(self, wire: Sends, token: ServiceToken) -> None:
        self._wire = wire
        self._token = token

    def get(self, path: str, query: Mapping[str, str], *, wait_s: float = 0.0) -> Answer:
        """Read. `wait_s`: how long the other side waits for something to answer with."""
        return self._send("GET", path, query=query, wait_s=wait_s)

    def post(self, path: str, body: Mapping[str, object]) -> Answer:
        """Send. Whatever goes wrong, it may have arrived: everything that is sent is safe to send again."""
        return self._send("POST", path, content=json.dumps(body, separators=(",", ":")).encode())

    def _send(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, content: bytes = b"", wait_s: float = 0.0
    ) -> Answer:
        token = self._token.current()
        answer = self._once(method, path, token, query, content, wait_s)
        if answer.status == HTTPStatus.UNAUTHORIZED:  # it expired under way, was revoked, or its key is gone
            self._token.refused(token)
            other = self._token.current()
            if other != token:
                answer = self._once(method, path, other, query, content, wait_s)
        return answer

    def _once(self, method: str, path: str, token: str, query: Mapping[str, str] | None, content: bytes, wait_s: float) -> Answer:
        headers = {"Authorization": f"Bearer {token}", **(_JSON if content else {})}
        return self._wire.send(method, path, headers=headers, query=query, content=content, wait_s=wait_s)

"""Connecting to one node, so that a failed attempt leaves nothing open and says why it failed.

kafka-python leaves its socket to the garbage collector, which may be far off: while Kafka is away, a process runs out of file
descriptors. It also waits for a TLS handshake without end, and drops a broker's last words.
"""

from __future__ import annotations

import ssl
from socket import socket
from typing import Protocol

from kafka.errors import KafkaConnectionError
from kafka.net.inet import KafkaNetSocket, create_connection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport


class _Node(Protocol):
    host: str
    port: int


class DialingManager(KafkaConnectionManager):  # type: ignore[misc]  # it has no types
    """Its connections, where an attempt that fails leaves nothing open."""

    async def _build_transport(self, node: _Node, timeout_at: float | None = None) -> KafkaTCPTransport:
        sock = await create_connection(
            self._net, node.host, node.port, self.config["socket_options"], proxy_url=_Socket.URL, timeout_at=timeout_at
        )
        transport = None
        try:
            transport = self._transport(sock, node.host, timeout_at)
            await transport.handshake()
        except BaseException as error:  # also when the client is closed meanwhile
            (transport or sock).close()
            if isinstance(error, Exception):
                msg = f"Handshake failed: {error}"
                raise KafkaConnectionError(msg) from error
            raise
        return transport

    def _transport(self, sock: socket, host: str, timeout_at: float | None) -> KafkaTCPTransport:
        if not self.ssl_enabled:
            return TcpTransport(self._net, sock, host=host)
        options = {key: value for key, value in self.config.items() if key.startswith("ssl_")}
        return _TlsTransport(self._net, sock, host=host, timeout_at=timeout_at, **options)


class _Socket(KafkaNetSocket):  # type: ignore[misc]
    """Named by a scheme: that is kafka-python's way to let somebody else connect."""

    SCHEMES = ("direct",)
    URL = "direct://"

    async def sock_connect(self, net: NetworkSelector, sock: socket, sockaddr: object, timeout_at: float | None = None) -> socket:
        try:
            connected: socket = await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise
        return connected


class _ReadsToTheEnd:
    """Before a broker closes the connection it may say why; what came together with the end would be dropped."""

    def _sock_recv(self) -> tuple[bytes, Exception | None]:
        read, end = super()._sock_recv()  # type: ignore[misc]
        heard = read and not self._closed  # type: ignore[attr-defined]
        return read, None if heard else end  # the end comes again


class TcpTransport(_ReadsToTheEnd, KafkaTCPTransport):  # type: ignore[misc]
    """kafka-python's, that hears a broker out."""


class _TlsTransport(_ReadsToTheEnd, KafkaSSLTransport):  # type: ignore[misc]
    def __init__(self, net: NetworkSelector, sock: socket, *, host: str, timeout_at: float | None, **options: object) -> None:
        super().__init__(net, sock, host=host, **options)
        self._timeout_at = timeout_at

    async def handshake(self) -> None:
        """Raises KafkaTimeoutError when the other side does not answer."""
        while True:
            try:
                self._sock.do_handshake()
            except ssl.SSLWantReadError:
                await self._net.wait_read(self._sock, timeout_at=self._timeout_at)
            except ssl.SSLWantWriteError:
                await self._net.wait_write(self._sock, timeout_at=self._timeout_at)
            else:
                return

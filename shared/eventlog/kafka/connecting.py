"""Why a broker is not reached: kafka-python tells that to its log alone, and to its callers only that their time is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from kafka.errors import (
    AuthorizationError,
    IllegalSaslStateError,
    KafkaConfigurationError,
    KafkaConnectionError,
    KafkaError,
    KafkaProtocolError,
    KafkaTimeoutError,
    RequestTimedOutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.selector import NetworkSelector

from eventlog.certificates import certificate_trouble
from eventlog.kafka.dialing import DialingManager
from eventlog.kafka.errors import KafkaRefuses, KafkaUnavailable

_ACCOUNT = (SaslAuthenticationFailedError, UnsupportedSaslMechanismError, IllegalSaslStateError)
_LATE = (KafkaTimeoutError, RequestTimedOutError)


class Connecting:
    """One client's attempts. `failure`: why the last ones failed, None where one succeeded."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self._client: KafkaNetClient | None = None

    def client(self, **configs: object) -> KafkaNetClient:
        """What kafka-python's clients take as `kafka_client`."""
        self.failure = None
        net = NetworkSelector(**configs)
        self._client = KafkaNetClient(net=net, manager=_Manager(self, net, **configs), **configs)
        return self._client

    def close(self) -> None:
        """End the thread and the sockets of the last client, also where its user could not even be made."""
        if self._client is not None:
            self._client.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise KafkaUnavailable for what kafka-python raises at run time; its messages may quote what was sent: none is kept."""
        try:
            yield
        except KafkaConfigurationError:
            raise
        except (KafkaError, OSError) as error:
            cause = self.failure if self.failure is not None and isinstance(error, _LATE) else error
            raise _in_words(cause) from error

    def note(self, failure: BaseException | None) -> None:
        """What became of an attempt. A refusal stays until one succeeds: what follows on it is often a broken connection."""
        if failure is None or not _refusal(self.failure):
            self.failure = failure


class _Future(Protocol):
    is_done: bool

    def add_callback(self, called: object) -> object: ...

    def add_errback(self, called: object) -> object: ...


class _Connection(Protocol):
    init_future: _Future


class _Manager(DialingManager):
    def __init__(self, connecting: Connecting, net: NetworkSelector, **configs: object) -> None:
        super().__init__(net, **configs)
        self._connecting = connecting

    def get_connection(self, node_id: object, **how: object) -> _Connection:
        connection: _Connection = super().get_connection(node_id, **how)
        if not connection.init_future.is_done:
            connection.init_future.add_callback(lambda _: self._connecting.note(None))
            connection.init_future.add_errback(self._connecting.note)
        return connection


def _in_words(error: BaseException) -> KafkaUnavailable:
    if refusal := _refusal(error):
        return KafkaRefuses(f"Kafka {refusal}")
    if isinstance(error, _LATE):
        return KafkaUnavailable("Kafka does not answer in time")
    if isinstance(error, OSError) or "ECONNREFUSED" in str(error):
        return KafkaUnavailable("Kafka cannot be reached")
    if isinstance(error, KafkaConnectionError):
        return KafkaUnavailable("Kafka breaks the connection off; perhaps it wants TLS, or an account")
    return KafkaUnavailable(f"Kafka: {type(error).__name__}")


def _refusal(error: BaseException | None) -> str:
    """What Kafka will not do, however often it is asked; empty for what may pass."""
    if isinstance(error, _ACCOUNT):
        return "does not accept the account"
    if isinstance(error, AuthorizationError):
        return f"does not allow the account that ({type(error).__name__})"
    if isinstance(error, KafkaProtocolError):
        return "is not what answers at that address, or it speaks TLS there"
    text = str(error)
    return certificate_trouble(text) or ("does not speak TLS at that address" if "Handshake failed" in text else "")

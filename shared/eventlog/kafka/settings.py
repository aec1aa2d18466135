"""How to reach Kafka."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sasl:
    """An account; with it the connection is SASL_SSL. `mechanism` is SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN."""

    username: str
    password: str = field(repr=False)
    mechanism: str = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """`bootstrap` is `host:port`, more of them after commas.

    `ca_file`: whom to trust with the brokers' certificates (PEM); "" with `sasl` means whom the system trusts. Without either
    the connection is in the clear. `timeout`: seconds that one request may take; a write is given up after twice that.
    """

    bootstrap: str
    ca_file: str = ""
    sasl: Sasl | None = None
    timeout: float = 5.0

    @property
    def servers(self) -> list[str]:
        """The addresses one by one."""
        return [each.strip() for each in self.bootstrap.split(",")]

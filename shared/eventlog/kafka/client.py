"""kafka-python's options in our words."""

from __future__ import annotations

from eventlog.kafka.settings import KafkaSettings

Option = str | int | bool | tuple[int, int] | list[str] | None

_NEWEST = (4, 3)  # named, so that no constructor waits for a broker to ask it; older brokers are still found out and obeyed


class _Hidden(str):
    """kafka-python writes its options into its log."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "hidden"


def options(settings: KafkaSettings) -> dict[str, Option]:
    """What every client is given."""
    found: dict[str, Option] = {
        "bootstrap_servers": settings.servers,
        "client_id": "rescind",
        "api_version": _NEWEST,
        "request_timeout_ms": _ms(settings.timeout),
        "reconnect_backoff_max_ms": 1000,  # its 30 s would keep a road closed long after Kafka is back
        "metadata_max_age_ms": 30_000,
    }
    if settings.ca_file:
        found |= {"security_protocol": "SSL", "ssl_cafile": settings.ca_file}
    if settings.sasl:
        found |= {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": settings.sasl.mechanism,
            "sasl_plain_username": settings.sasl.username,
            "sasl_plain_password": _Hidden(settings.sasl.password),
        }
    return found


def _ms(seconds: float) -> int:
    return int(seconds * 1000)

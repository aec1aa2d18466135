"""The settings of the cluster's commands: those of one process, and what lies between several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from services.options import Setting, options, read_all
from services.reading import read_base_url, read_certificate, read_path, read_servers, read_whole
from services.runtime import BadSetting
from services.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ClusterSettings(Settings):
    """See docs/operations.md; each command uses those that concern it."""

    # between the services
    kafka: Annotated[str, Setting("Kafka's brokers", "host:port, more after commas", read_servers)] = ""
    kafka_ca: Annotated[Path | None, Setting("whom to trust with the brokers' certificates", "PEM file", read_path)] = None
    kafka_username: Annotated[str, Setting("account at Kafka (SASL_SSL, SCRAM-SHA-512)")] = ""
    kafka_password: Annotated[str, Setting("its password; give it as a variable, other users can read a command line")] = ""
    kafka_partitions: Annotated[
        int,
        Setting("partitions of the session and the anomaly topic; fixed once they are made", "partitions", read_whole(1, 1000)),
    ] = 12
    kafka_replication: Annotated[int, Setting("copies of each partition, when topics are made", "brokers", read_whole(1, 9))] = 1
    credential: Annotated[
        Path | None, Setting("this service's own, as bootstrap wrote it: DIR/SERVICE/credential.json", "JSON file", read_path)
    ] = None
    issuer_url: Annotated[
        tuple[str, ...], Setting("where an issuer process answers, inside; may be repeated", "URL", read_base_url)
    ] = ()
    revocation_url: Annotated[
        tuple[str, ...], Setting("where a revocation process answers, inside; may be repeated", "URL", read_base_url)
    ] = ()
    ca: Annotated[
        Path | None,
        Setting("whom to trust with the other services' certificates; the system's unless given", "PEM file", read_path),
    ] = None

    # bootstrap
    credentials: Annotated[
        Path, Setting("folder that bootstrap writes: a folder for each service, and the administrator's", "folder", read_path)
    ] = Path("rescind-credentials")
    certificate: Annotated[
        tuple[str, ...],
        Setting(
            "have bootstrap make a certificate for NAME (and HOST), signed by a CA of its own; may be repeated",
            "NAME or NAME=HOST",
            read_certificate,
        ),
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kafka_username and not self.kafka_password:
            raise BadSetting("--kafka-username needs a password: give RESCIND_KAFKA_PASSWORD.")


OPTIONS = options(ClusterSettings)
OWN_OPTIONS = tuple(option for option in OPTIONS if option.name not in {each.name for each in options(Settings)})


def from_arguments(argv: Sequence[str], environ: Mapping[str, str]) -> ClusterSettings:
    """Read options and RESCIND_ variables; BadSetting with one line for what is unknown or malformed."""
    given = read_all(OPTIONS, argv, environ)
    return ClusterSettings(**given)  # type: ignore[arg-type]  # each value was read by its own field's reader

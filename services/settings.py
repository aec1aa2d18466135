"""Every setting of the servers, in one frozen value. Every default runs embedded: SQLite files, one process, loopback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from services.options import Setting, options, read_all
from services.reading import read_base_url, read_database, read_fraction, read_network, read_origin, read_path, read_whole
from services.runtime import BadSetting

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SECONDS = "seconds"
OFF = "seconds, 0 is off"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field an option; see docs/operations.md."""

    # where
    data: Annotated[Path, Setting("folder of keys, credentials and SQLite files", "folder", read_path)] = Path("rescind-data")
    host: Annotated[str, Setting("address to listen on", "address")] = "127.0.0.1"
    port: Annotated[int, Setting("port to listen on; 0 takes any free one", "port", read_whole(0, 65_535))] = 8000
    database: Annotated[
        str,
        Setting(
            "PostgreSQL for the three stores, a schema each; give it as a variable, other users can read a command line",
            "postgresql+psycopg:// URL",
            read_database,
        ),
    ] = ""
    public_url: Annotated[
        str, Setting("address that clients use, when it is not the one that is listened on", "URL", read_base_url)
    ] = ""
    tls_cert: Annotated[Path | None, Setting("certificate chain of the listener; needs --tls-key", "PEM file", read_path)] = None
    tls_key: Annotated[Path | None, Setting("private key of the listener; needs --tls-cert", "PEM file", read_path)] = None
    trusted_proxy: Annotated[
        tuple[str, ...],
        Setting(
            "proxy whose X-Forwarded-For header is believed; may be repeated",
            "network",
            read_network,
        ),
    ] = ()
    allowed_origin: Annotated[
        tuple[str, ...],
        Setting(
            "web origin, beside the service's own, that may use cookies and CORS; may be repeated",
            "origin",
            read_origin,
        ),
    ] = ()

    # tokens
    issuer: Annotated[
        str, Setting("the claim iss; the public URL of the first start, kept from then on", "URL", read_base_url)
    ] = ""
    audience: Annotated[str, Setting("the claim aud of tokens from /api/token/ and of clients that name none")] = "rescind"
    algorithm: Annotated[str, Setting("signature of access tokens", choices=("ES256", "EdDSA", "RS256"))] = "ES256"
    access_ttl: Annotated[int, Setting("life of an access token", SECONDS, read_whole(10, DAY))] = 15 * MINUTE
    refresh_ttl: Annotated[int, Setting("life of a refresh token, renewed by each refresh", SECONDS, read_whole(20))] = 7 * DAY
    remember_ttl: Annotated[int, Setting("the same for sessions with remember_me", SECONDS, read_whole(20))] = 30 * DAY
    key_ahead: Annotated[
        int, Setting("how long a new signing key is published before it signs", SECONDS, read_whole(0, 30 * DAY))
    ] = 10 * MINUTE
    clock_leeway: Annotated[int, Setting("clock difference that verifiers allow", SECONDS, read_whole(0, 300))] = 30

    # sessions
    absolute_limit: Annotated[int, Setting("a session ends so long after its sign-in", OFF, read_whole(0))] = 90 * DAY
    inactivity_limit: Annotated[int, Setting("a session ends so long after its last refresh", OFF, read_whole(0))] = 0
    session_limit: Annotated[
        int,
        Setting("living sessions of one subject; the oldest ends first", "sessions, 0 is off", read_whole(0, 1_000_000)),
    ] = 0
    race_window: Annotated[
        int,
        Setting(
            "a parent refresh token that comes again within this time is a lost answer, no signal",
            SECONDS,
            read_whole(0, HOUR),
        ),
    ] = 30
    late_replays: Annotated[
        int,
        Setting("late replays in a row that are forgiven; the next one is reuse", "rotations", read_whole(0, 100)),
    ] = 2
    password_change: Annotated[str, Setting("which sessions a changed password ends", choices=("others", "all"))] = "others"  # noqa: S105  (a choice, no secret)
    password_hashes: Annotated[int, Setting("Argon2 computations at one time", "threads", read_whole(1, 64))] = 2
    account_failures: Annotated[
        int, Setting("failed sign-ins of one account within --failure-window, until it must wait", "failures", read_whole(1))
    ] = 10
    network_failures: Annotated[
        int, Setting("the same for all accounts together that one network (/24 or /64) tries", "failures", read_whole(1))
    ] = 100
    failure_window: Annotated[int, Setting("how long a failure counts", SECONDS, read_whole(1, DAY))] = 15 * MINUTE
    personal_retention: Annotated[
        int, Setting("keys of the day for sign-ins with unknown names are kept so long", SECONDS, read_whole(DAY))
    ] = 90 * DAY
    asn_database: Annotated[
        Path | None, Setting("autonomous systems of addresses; without it they are unknown", "mmdb file", read_path)
    ] = None

    # revocations
    lift_window: Annotated[int, Setting("a revocation can be lifted for so long", SECONDS, read_whole(0, 366 * DAY))] = 7 * DAY
    automated_per_minute: Annotated[
        int, Setting("revocations a minute by callers with revocations:automated alone", "revocations", read_whole(0))
    ] = 60
    automated_share: Annotated[
        float, Setting("share of the living sessions that such callers may end within an hour", "0 to 1", read_fraction)
    ] = 0.05
    automated_floor: Annotated[
        int, Setting("sessions that such callers may end within an hour, however few live", "sessions", read_whole(0))
    ] = 10
    ack_retention: Annotated[int, Setting("how long receipts know each verifier's delay", SECONDS, read_whole(HOUR))] = DAY
    snapshot_loads: Annotated[int, Setting("snapshots that are loaded at one time", "verifiers", read_whole(1, 1000))] = 8
    anomaly_action: Annotated[str, Setting("what a finding does to the session", choices=("shadow", "hold", "end"))] = "end"

    # running
    checkpoints: Annotated[
        Path | None,
        Setting("where the logs' signed checkpoints go; DIR/checkpoints unless given", "folder", read_path),
    ] = None
    log_level: Annotated[str, Setting("what is logged", choices=("debug", "info", "warning", "error"))] = "info"
    otel_endpoint: Annotated[str, Setting("OTLP/HTTP endpoint for traces", "URL", read_base_url)] = ""

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise BadSetting("--tls-cert and --tls-key belong together: give both or none.")
        if self.access_ttl >= min(self.refresh_ttl, self.remember_ttl):
            raise BadSetting("--access-ttl must be shorter than --refresh-ttl and --remember-ttl.")


OPTIONS = options(Settings)


def from_arguments(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read options and RESCIND_ variables; BadSetting with one line for what is unknown or malformed."""
    given = read_all(OPTIONS, argv, environ)
    return Settings(**given)  # type: ignore[arg-type]  # each value was read by its own field's reader

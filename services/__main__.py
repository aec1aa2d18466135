"""`python -m services COMMAND [options]`. Nothing else reads the environment."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from eventlog.errors import StoreUnavailable
from services.anomaly.score_lines import score_lines
from services.cluster.anomaly import open_anomaly
from services.cluster.bootstrap import bootstrap
from services.cluster.issuer import open_issuer_service
from services.cluster.making_topics import make_topics
from services.cluster.opening import Opened, Opening
from services.cluster.relay import open_relay
from services.cluster.revocation import open_revocation_service
from services.cluster.settings import OPTIONS as CLUSTER_OPTIONS
from services.cluster.settings import ClusterSettings
from services.cluster.settings import from_arguments as cluster_settings
from services.logs import configure, type_name
from services.loops import Loops
from services.options import parser
from services.runtime import BadSetting, CannotStart, Streams
from services.server import address, listen, serve, server
from services.settings import OPTIONS, Settings, from_arguments
from services.verify_log import verify_log
from services.wiring import compose

logger = logging.getLogger("services")

_INTERRUPTED = 130


def serve_all(settings: Settings) -> int:
    """Everything in one process."""
    os.umask(0o077)  # what it writes is for its own user
    listener = listen(settings.host, settings.port)
    base_url = address(listener, settings.host, tls=settings.tls_cert is not None)
    with listener, compose(settings, base_url) as running:
        web = server(running.app, running.streams, tls_cert=settings.tls_cert, tls_key=settings.tls_key)
        if running.told:
            print(f"First start: the administrator's credentials are in {running.told}.")
        print(f"Rescind listens on {base_url}. Its data is in {settings.data}. Ctrl+C stops it.", flush=True)
        serve(web, listener, running.loops)
    return 0


def serve_role(name: str, open_: Callable[[ClusterSettings, Streams, ExitStack], Opened], settings: ClusterSettings) -> int:
    """One service of the cluster."""
    os.umask(0o077)
    streams = Streams()
    opening = Opening(name, lambda stack: open_(settings, streams, stack), streams)
    with listen(settings.host, settings.port) as listener:
        web = server(opening, streams, tls_cert=settings.tls_cert, tls_key=settings.tls_key)
        base_url = address(listener, settings.host, tls=settings.tls_cert is not None)
        print(f"Rescind listens on {base_url}. It is the {name} service. Ctrl+C stops it.", flush=True)
        serve(web, listener, Loops([opening.loop]))
    return 0


def set_up(settings: ClusterSettings) -> int:
    """The command `bootstrap`."""
    os.umask(0o077)
    try:
        bootstrap(settings)
    except StoreUnavailable as error:
        msg = f"The database cannot be used: {error}. Check --database and that its server runs."
        raise CannotStart(msg) from error
    print(f"The installation is complete. What belongs to each service is in {settings.credentials}.")
    return 0


def topics(settings: ClusterSettings) -> int:
    """The command `topics`."""
    made = make_topics(settings)
    print(f"Made {', '.join(made)}." if made else "All topics are there.")
    return 0


COMMANDS: Mapping[str, tuple[Callable[[Settings], int], str]] = {
    "all": (serve_all, "everything in one process, on one port"),
    "verify-log": (verify_log, "check the hash chains against the exported checkpoints"),
}
CLUSTER_COMMANDS: Mapping[str, tuple[Callable[[ClusterSettings], int], str]] = {
    "bootstrap": (set_up, "make a cluster's tables, secrets and first source; once, or again for an upgrade"),
    "topics": (topics, "make a cluster's Kafka topics"),
    "issuer": (partial(serve_role, "issuer", open_issuer_service), "sessions, tokens, accounts and keys"),
    "relay": (partial(serve_role, "relay", open_relay), "tells what the issuer's log says, on both roads"),
    "revocation": (partial(serve_role, "revocation", open_revocation_service), "the revocation list and its feed"),
    "anomaly": (partial(serve_role, "anomaly", open_anomaly), "looks for stolen sessions; `anomaly score` judges JSON lines"),
}

SCORE = ["anomaly", "score"]
"""Judges JSON lines from standard input; it has no settings."""


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command; 0, or the status that goes with the one line on standard error."""
    try:
        return _run(argv, environ)
    except CannotStart as refusal:
        print(f"rescind: {refusal}", file=sys.stderr)
        return refusal.status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:  # the last resort: a line for people, and one for the log
        logger.exception("stopped")
        print(f"rescind: stopped by an error nobody foresaw ({type_name(error)}); the log says where.", file=sys.stderr)
        return 1


def _run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    if not argv or argv[0] in {"-h", "--help"}:
        print(_usage())
        return 0 if argv else BadSetting.status
    if argv[0] not in COMMANDS and argv[0] not in CLUSTER_COMMANDS:
        msg = f"there is no command {argv[0]}. There are: {', '.join([*COMMANDS, *CLUSTER_COMMANDS])}."
        raise BadSetting(msg)
    if {"-h", "--help"} & set(argv[1:]):
        print(_help(argv[0]))
        return 0
    if list(argv[:2]) == SCORE:
        return score_lines(sys.stdin.buffer, sys.stdout)
    if argv[0] in COMMANDS:
        settings = from_arguments(argv[1:], environ)
        configure(sys.stderr, settings.log_level)
        return COMMANDS[argv[0]][0](settings)
    shared = cluster_settings(argv[1:], environ)
    configure(sys.stderr, shared.log_level)
    return CLUSTER_COMMANDS[argv[0]][0](shared)


def _help(command: str) -> str:
    known = OPTIONS if command in COMMANDS else CLUSTER_OPTIONS
    words = {**COMMANDS, **CLUSTER_COMMANDS}[command][1]
    return parser(known, prog=f"python -m services {command}", description=words).format_help()


def _usage() -> str:
    lines = [f"  {name:<12}{words}" for name, (_, words) in {**COMMANDS, **CLUSTER_COMMANDS}.items()]
    return "\n".join(
        ["usage: python -m services COMMAND [options]", "", *lines, "", "Each has --help, which names every setting."]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))

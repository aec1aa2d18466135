"""`python -m services COMMAND [options]`. Nothing else reads the environment."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from services.logs import configure, type_name
from services.options import parser
from services.runtime import BadSetting, CannotStart
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


COMMANDS: Mapping[str, tuple[Callable[[Settings], int], str]] = {
    "all": (serve_all, "everything in one process, on one port"),
    "verify-log": (verify_log, "check the hash chains against the exported checkpoints"),
}


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
    command, words = COMMANDS.get(argv[0], (None, ""))
    if command is None:
        msg = f"there is no command {argv[0]}. There are: {', '.join(COMMANDS)}."
        raise BadSetting(msg)
    if {"-h", "--help"} & set(argv[1:]):
        print(parser(OPTIONS, prog=f"python -m services {argv[0]}", description=words).format_help())
        return 0
    settings = from_arguments(argv[1:], environ)
    configure(sys.stderr, settings.log_level)
    return command(settings)


def _usage() -> str:
    lines = [f"  {name:<12}{words}" for name, (_, words) in COMMANDS.items()]
    return "\n".join(
        ["usage: python -m services COMMAND [options]", "", *lines, "", "Each has --help, which names every setting."]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))

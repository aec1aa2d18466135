"""The command `rescind`: `watch` tails the feed, `verify` says in words why a token is refused."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rescind import words
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.feed import Feed, FeedUnavailable
from rescind.frames import Decoder, Heartbeat, Snapshot
from rescind.http_feed import HttpFeed
from rescind.issuers import Issuer
from rescind.position import Position
from rescind.verifier import Verifier

ACCEPTED, REFUSED, UNKNOWN = 0, 1, 2
"""Exit statuses of `verify`."""

_PAUSE = 1.0  # seconds between two connections of `watch`


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit status. The credential comes from a file, never from the command line."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
    options = _parser().parse_args(arguments)
    try:
        credential = options.credential_file.read_text().strip()
        return _watch(options, credential) if options.command == "watch" else _verify(options, credential)
    except (OSError, ValueError) as error:
        print(f"rescind: {error}", file=sys.stderr)
        return UNKNOWN
    except KeyboardInterrupt:
        return 130


def lines(feed: Feed, after: Position | None, *, heartbeats: bool) -> Iterator[tuple[Position, str]]:
    """Give the feed's frames in words, and the position to go on from. FeedUnavailable at the end; ValueError."""
    stream = feed.open(after, "")
    try:
        decoder = Decoder()
        while piece := stream.read():
            for frame in decoder.feed(piece):
                if isinstance(frame, Snapshot):
                    yield frame.position, words.of_snapshot(frame, feed.snapshot(frame.url))
                elif heartbeats or not isinstance(frame, Heartbeat):
                    for line in words.of_frame(frame):
                        yield frame.position, line
    finally:
        stream.close()
    raise FeedUnavailable("the feed ended")


def _watch(options: argparse.Namespace, credential: str) -> int:
    feed = HttpFeed(options.feed, credential)
    after: Position | None = None
    while True:
        try:
            for at, line in lines(feed, after, heartbeats=options.heartbeats):
                after = at
                print(line, flush=True)
        except FeedUnavailable as error:
            print(f"rescind: {error}; trying again", file=sys.stderr)
        time.sleep(_PAUSE)


def _verify(options: argparse.Namespace, credential: str) -> int:
    token = sys.stdin.readline().strip() if options.token == "-" else options.token  # noqa: S105  (stands for standard input)
    issuer = Issuer(iss=options.issuer or options.feed, jwks_url=options.jwks_url, own=not options.foreign, typ=options.typ)
    verifier = Verifier(issuers=issuer, audience=options.audience, feed=options.feed, credential=credential)
    try:
        _settle(verifier, options.wait)
        answer = verifier.verify(token)
        problem = verifier.metrics().problem
    finally:
        verifier.close()
    return _report(answer, problem)


def _report(answer: Claims | Denied, problem: str) -> int:
    if isinstance(answer, Claims):
        print("accepted", *words.of_claims(answer, int(time.time())), sep="\n")
        return ACCEPTED
    print(*words.of_refusal(answer), sep="\n")
    if answer.reason in {Denial.STALE, Denial.NOT_READY}:
        print(problem or "the list did not arrive in time")
        return UNKNOWN
    return REFUSED


def _settle(verifier: Verifier, seconds: float) -> None:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not verifier.ready and time.monotonic() < deadline:
        pause.wait(0.02)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rescind", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    watch = commands.add_parser("watch", help="tail the feed, one line a change")
    watch.add_argument("--heartbeats", action="store_true", help="show heartbeats too")
    verify = commands.add_parser("verify", help="say whether a token is accepted; exit status 0 yes, 1 no, 2 cannot tell")
    verify.add_argument("token", help="the access token, or - to read it from standard input")
    verify.add_argument("--audience", required=True, help="what the service is called in `aud`")
    verify.add_argument("--issuer", default="", help="the token's `iss`; the feed's URL by default")
    verify.add_argument("--jwks-url", default="", help="where the issuer's keys are; ISSUER/.well-known/jwks.json by default")
    verify.add_argument("--typ", default="at+jwt", help="the header that marks its access tokens (at+jwt)")
    verify.add_argument("--foreign", action="store_true", help="the issuer is not Rescind's own (Keycloak, …)")
    verify.add_argument("--wait", type=float, default=5.0, help="seconds to wait for the list (5)")
    for command in (watch, verify):
        command.add_argument("--feed", required=True, help="base URL of the revocation service")
        command.add_argument("--credential-file", required=True, type=Path, help="a file with the verifier's credential")
    return parser


if __name__ == "__main__":
    sys.exit(main())

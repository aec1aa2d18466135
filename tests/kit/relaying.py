"""A log that writes, and a relay that tells it to a receiver in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress

from contract.event_log_contract import event
from kit.receiver import Receiver

from eventlog.relay import Relay
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from rescind.position import Position

TOLD, KEPT = "told.v1", "kept.v1"
SLOW = itertools.count(100.0, 100.0).__next__  # each look finds that a save is due


def make_relay(
    log: SqlLog,
    sink: Receiver,
    *,
    limit: int = 500,
    clock: Callable[[], float] = SLOW,
    on_restored: Callable[[Position], None] | None = None,
    kind: type[Relay] = Relay,
) -> Relay:
    def raise_epoch(position: Position) -> None:
        log.raise_epoch(above=position.epoch)

    return kind(
        log,
        sink,
        iss="https://issuer.example",
        cursor_name="express",
        carries=TOLD.__eq__,
        applied=lambda: Position(1, 7),
        live_sessions=lambda: 3,
        on_restored=on_restored or raise_epoch,
        limit=limit,
        clock=clock,
    )


def write(log: SqlLog, stream: str, *ids: str, type_: str = TOLD) -> None:
    version = len(log.read_stream(stream))
    log.append(stream, [event(each, type=type_) for each in ids], expected_version=version)
    Sequencer(log).number()


def drain(relay: Relay, *, rounds: int = 20) -> None:
    """Step until nothing moves, as the loop does: an error is no end."""
    for _ in range(rounds):
        with suppress(ConnectionError):
            relay.step()

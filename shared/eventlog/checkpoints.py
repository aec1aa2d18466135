"""Signed checkpoints of a log: kept elsewhere, they betray a log that was rewritten or cut short."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from eventlog.errors import EventLogError
from eventlog.sql.log import SqlLog
from rescind.position import Position

_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class LogCheckpoint:
    """At `time` (ms) the chain of the log `log` had `hash` at `position`."""

    log: str
    position: Position
    hash: bytes
    time: int
    signature: bytes = b""

    def signed_bytes(self) -> bytes:
        """What the signature covers: canonical JSON of the other fields."""
        return json.dumps(self._fields(), sort_keys=True, separators=(",", ":")).encode()

    def line(self) -> str:
        """The checkpoint as a line of JSON."""
        return json.dumps({**self._fields(), "signature": self.signature.hex()}, separators=(",", ":"))

    def _fields(self) -> dict[str, object]:
        return {"log": self.log, "position": str(self.position), "hash": self.hash.hex(), "time": self.time}


def make_checkpoint(log: SqlLog, sign: Callable[[bytes], bytes], *, now: int) -> LogCheckpoint:
    """Sign where the log stands."""
    position, hash_ = log.head()
    made = LogCheckpoint(log.name, position, hash_, now)
    return LogCheckpoint(log.name, position, hash_, now, sign(made.signed_bytes()))


def export(
    log: SqlLog,
    path: Path,
    sign: Callable[[bytes], bytes],
    stop: threading.Event,
    *,
    every: float = _EVERY_S,
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> None:
    """Append a line to the file every `every` seconds while the log grows, and one at the end, until stopped."""
    last: Position | None = None
    while True:
        stopping = stop.wait(every if last else 0)
        try:
            checkpoint = make_checkpoint(log, sign, now=now())
        except EventLogError:
            if stopping:
                return
            stop.wait(1)
            continue
        if checkpoint.position != last:
            _append(path, checkpoint.line())
            last = checkpoint.position
        if stopping:
            return


def read_checkpoints(path: Path) -> Iterator[LogCheckpoint]:
    """The file's checkpoints, their signatures unchecked; ValueError names the first line that is none."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                found = json.loads(line)
                yield LogCheckpoint(
                    str(found["log"]),
                    Position.parse(found["position"]),
                    bytes.fromhex(found["hash"]),
                    int(found["time"]),
                    bytes.fromhex(found["signature"]),
                )
            except (ValueError, KeyError, TypeError):
                msg = f"line {number} is no checkpoint"
                raise ValueError(msg) from None


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())

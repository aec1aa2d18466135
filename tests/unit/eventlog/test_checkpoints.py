from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from contract.event_log_contract import event

from eventlog.checkpoints import LogCheckpoint, export, make_checkpoint, read_checkpoints
from eventlog.errors import StoreUnavailable
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from rescind.position import Position


def sign(data: bytes) -> bytes:
    return b"<" + data + b">"


class Rounds(threading.Event):
    """Does something at each wait instead of waiting, and stops when nothing is left to do."""

    def __init__(self, *acts: Callable[[], None]) -> None:
        super().__init__()
        self.acts = list(acts)
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        if self.acts:
            self.acts.pop(0)()
        else:
            self.set()
        return self.is_set()


def grow(log: SqlLog) -> None:
    log.append("a", [event(str(len(log.read_stream("a"))))], expected_version=len(log.read_stream("a")))
    Sequencer(log).number()


def nothing() -> None:
    pass


def test_a_checkpoint_says_where_the_log_stands(log: SqlLog) -> None:
    grow(log)
    position, hash_ = log.head()

    made = make_checkpoint(log, sign, now=7)

    assert (made.log, made.position, made.hash, made.time) == ("test", position, hash_, 7)
    assert made.signature == sign(made.signed_bytes())
    assert json.loads(made.signed_bytes()) == {"log": "test", "position": "1.1", "hash": hash_.hex(), "time": 7}


def test_a_line_is_written_a_minute_while_the_log_grows_and_one_at_the_end(sqlite_log: SqlLog, tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    stop = Rounds(nothing, lambda: grow(sqlite_log), nothing, lambda: grow(sqlite_log))

    export(sqlite_log, path, sign, stop, now=iter(range(10)).__next__)

    assert [(str(each.position), each.time) for each in read_checkpoints(path)] == [("1.0", 0), ("1.1", 1), ("1.2", 3)]
    assert stop.waits == [0, 60.0, 60.0, 60.0, 60.0]
    assert [set(json.loads(line)) for line in path.read_text().splitlines()] == [
        {"log", "position", "hash", "time", "signature"}
    ] * 3


def test_a_restart_goes_on_in_the_same_file(sqlite_log: SqlLog, tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    for _ in range(2):
        grow(sqlite_log)
        export(sqlite_log, path, sign, Rounds())

    assert [str(each.position) for each in read_checkpoints(path)] == ["1.1", "1.2"]


def test_an_absent_database_is_waited_for(sqlite_log: SqlLog, tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"

    class Absent(SqlLog):
        absent = True

        def head(self) -> tuple[Position, bytes]:
            if self.absent:
                self.absent = False
                raise StoreUnavailable("gone")
            return super().head()

    export(Absent(sqlite_log.engine, sqlite_log.tables, name="test"), path, sign, Rounds(nothing, nothing))

    assert len(list(read_checkpoints(path))) == 1


def test_a_checkpoint_comes_back_from_its_line(tmp_path: Path) -> None:
    made = LogCheckpoint("issuer", Position(2, 5), b"\x01" * 32, 1_800_000_000_000, b"\x02\x03")
    path = tmp_path / "checkpoints.jsonl"
    path.write_text(made.line() + "\n")

    assert list(read_checkpoints(path)) == [made]


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"log":"a","position":"x","hash":"","time":1,"signature":""}'])
def test_a_line_that_is_no_checkpoint_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "checkpoints.jsonl"
    path.write_text(LogCheckpoint("a", Position(1, 1), b"", 1).line() + "\n" + line + "\n")

    with pytest.raises(ValueError, match="line 2 is no checkpoint"):
        list(read_checkpoints(path))

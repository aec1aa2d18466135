from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from contract.event_log_contract import event, everything
from sqlalchemy import Connection, text

from eventlog.chain import GENESIS, link
from eventlog.checkpoints import LogCheckpoint, make_checkpoint
from eventlog.memory import MemoryLog
from eventlog.port import Recorded
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from eventlog.verifying import Tampering, Verdict, verify_log
from rescind.position import BEGINNING, Position


def sign(data: bytes) -> bytes:
    return hmac.digest(b"a key kept elsewhere", data, hashlib.sha256)


def check(data: bytes, signature: bytes) -> bool:
    return hmac.compare_digest(sign(data), signature)


def signed(position: Position, hash_: bytes) -> LogCheckpoint:
    bare = LogCheckpoint("test", position, hash_, 1)
    return replace(bare, signature=sign(bare.signed_bytes()))


def at(seq: int, epoch: int = 1) -> Position:
    return Position(epoch, seq)


@pytest.fixture
def rows() -> list[Recorded]:
    log = MemoryLog()
    log.append("a", [event(str(nth)) for nth in range(1, 9)], expected_version=0)
    return everything(log)


def rechained(rows: Sequence[Recorded]) -> list[Recorded]:
    """What a forger with the code, and without the signing key, can do: number and link everything anew."""
    found: list[Recorded] = []
    for nth, row in enumerate(rows, start=1):
        numbered = replace(row, position=at(nth))
        found.append(replace(numbered, hash=link(found[-1].hash if found else GENESIS, numbered)))
    return found


def edited(row: Recorded) -> Recorded:
    return replace(row, event=replace(row.event, data=b'{"a":2}'))


def test_a_sound_log_is_proven_up_to_its_last_checkpoint(rows: list[Recorded]) -> None:
    checkpoints = [signed(at(6), rows[5].hash), signed(at(0), GENESIS), signed(at(3), rows[2].hash)]

    assert verify_log(rows, checkpoints, check) == Verdict(8, at(6))
    assert verify_log(rows, [], check) == Verdict(8, BEGINNING)
    assert verify_log([], [signed(at(0), GENESIS)], check) == Verdict(0, at(0))


Forgery = Callable[[list[Recorded]], list[Recorded]]


@pytest.mark.parametrize(
    ("forge", "found", "where"),
    [
        (lambda rows: [*rows[:3], edited(rows[3]), *rows[4:]], Tampering.CHANGED, 4),
        (lambda rows: [*rows[:3], replace(rows[3], stream="b"), *rows[4:]], Tampering.CHANGED, 4),
        (lambda rows: [*rows[:3], replace(rows[3], hash=bytes(32)), *rows[4:]], Tampering.CHANGED, 4),
        (lambda rows: rows[:3] + rows[4:], Tampering.REMOVED, 4),
        (lambda rows: rows[1:], Tampering.REMOVED, 1),
        (lambda rows: [*rows[:3], rows[4], rows[3], *rows[5:]], Tampering.REORDERED, 4),
        (lambda rows: [*rows[:3], *rows[6:], *rows[3:6]], Tampering.REORDERED, 4),
        (
            lambda rows: [*rows[:3], replace(rows[5], position=at(4)), rows[4], replace(rows[3], position=at(6)), *rows[6:]],
            Tampering.REORDERED,
            4,
        ),
        (lambda rows: [*rows[:4], rows[3], *rows[4:]], Tampering.REORDERED, 5),
        (lambda rows: rows[:4], Tampering.TRUNCATED, 5),
        (lambda rows: rows[:0], Tampering.TRUNCATED, 1),
        (lambda rows: rechained(rows[:3] + rows[4:]), Tampering.REWRITTEN, 3),
        (lambda rows: rechained([*rows[:3], edited(rows[3]), *rows[4:]]), Tampering.REWRITTEN, 3),
        (lambda rows: rechained([edited(rows[0]), *rows[1:]]), Tampering.REWRITTEN, 1),
    ],
)
def test_the_first_bad_row_is_named(rows: list[Recorded], forge: Forgery, found: Tampering, where: int) -> None:
    checkpoints = [signed(at(2), rows[1].hash), signed(at(6), rows[5].hash)]

    verdict = verify_log(forge(rows), checkpoints, check)

    assert (verdict.tampering, verdict.position) == (found, at(where))
    assert verdict.proven < at(where)


def test_control_without_checkpoints_a_rewritten_or_shortened_log_looks_sound(rows: list[Recorded]) -> None:
    assert verify_log(rechained(rows[:3] + rows[4:]), [], check).tampering is None
    assert verify_log(rows[:4], [], check).tampering is None


def test_a_checkpoint_that_nobody_signed_proves_nothing(rows: list[Recorded]) -> None:
    forged = replace(signed(at(6), rows[5].hash), hash=bytes(32))

    assert verify_log(rows, [forged], check) == Verdict(0, tampering=Tampering.FORGED, position=at(6))


@pytest.fixture
def numbered(log: SqlLog) -> tuple[SqlLog, list[LogCheckpoint]]:
    """Five records, an epoch raised before the fourth, a checkpoint after each step."""
    checkpoints = [make_checkpoint(log, sign, now=0)]
    for nth in range(1, 6):
        if nth == 4:
            log.raise_epoch()
            checkpoints.append(make_checkpoint(log, sign, now=nth))
        log.append("a", [event(str(nth))], expected_version=nth - 1)
        Sequencer(log).number()
        checkpoints.append(make_checkpoint(log, sign, now=nth))
    return log, checkpoints


def test_a_real_log_is_sound_over_epochs(numbered: tuple[SqlLog, list[LogCheckpoint]]) -> None:
    log, checkpoints = numbered

    assert verify_log(everything(log), checkpoints, check) == Verdict(5, at(2, epoch=2))


@pytest.mark.parametrize(
    ("statement", "found", "where"),
    [
        ("UPDATE events SET subject = 'x' WHERE id = '2'", Tampering.CHANGED, at(2)),
        ("DELETE FROM events WHERE id = '2'", Tampering.REMOVED, at(2)),
        ("DELETE FROM events WHERE id = '3'", Tampering.REMOVED, at(3)),  # the last of its epoch
        ("DELETE FROM events WHERE id > '3'", Tampering.TRUNCATED, at(4)),
        ("UPDATE events SET epoch = NULL, seq = NULL WHERE id = '2'", Tampering.REMOVED, at(2)),
        ("UPDATE events SET epoch = 2, seq = seq + 2 WHERE id > '3'", Tampering.REMOVED, at(4)),
    ],
)
def test_a_tampered_table_is_found_out(
    numbered: tuple[SqlLog, list[LogCheckpoint]],
    statement: str,
    found: Tampering,
    where: Position,
) -> None:
    log, checkpoints = numbered
    with write_connection(log.engine) as connection:
        connection.execute(text(statement))

    verdict = verify_log(everything(log), checkpoints, check)

    assert (verdict.tampering, verdict.position) == (found, where)


def test_exchanged_rows_of_a_table_are_found_out(numbered: tuple[SqlLog, list[LogCheckpoint]]) -> None:
    log, checkpoints = numbered
    with write_connection(log.engine) as connection:
        _exchange(connection, "1", "2")

    verdict = verify_log(everything(log), checkpoints, check)

    assert (verdict.tampering, verdict.position) == (Tampering.REORDERED, at(1))


def _exchange(connection: Connection, one: str, other: str) -> None:
    seqs = {
        id_: connection.execute(text("SELECT seq FROM events WHERE id = :id"), {"id": id_}).scalar_one() for id_ in (one, other)
    }
    for id_, seq in ((one, -1), (other, seqs[one]), (one, seqs[other])):
        connection.execute(text("UPDATE events SET seq = :seq WHERE id = :id"), {"seq": seq, "id": id_})

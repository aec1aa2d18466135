from __future__ import annotations

from dataclasses import replace

import pytest
from kit.receiver import Receiver
from kit.relaying import drain, make_relay, write

from eventlog.port import Checkpoint
from eventlog.relay import OtherHistory, Post, Relay
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from rescind.position import BEGINNING, Position


class Restored:
    """What an issuer does when its log was put back."""

    def __init__(self, log: SqlLog) -> None:
        self.log = log
        self.seen: list[Position] = []

    def __call__(self, position: Position) -> None:
        self.seen.append(position)
        self.log.raise_epoch(above=position.epoch)


def put_back(log: SqlLog, to: Position) -> None:
    """Make the log what its file was at an earlier time."""
    hash_ = log.hash_at(to)
    events, head = log.tables.events, log.tables.head
    with write_connection(log.engine) as connection:
        connection.execute(events.delete().where(events.c.seq > to.seq))
        connection.execute(head.update().values(seq=to.seq, hash=hash_))
        log.set_cursor(connection, "express", Checkpoint(str(to)))


def test_a_receiver_ahead_of_us_means_that_our_log_was_restored(log: SqlLog) -> None:
    write(log, "a", *"12345")
    receiver = Receiver()
    drain(make_relay(log, receiver))
    put_back(log, Position(1, 3))

    relay = make_relay(log, receiver)
    relay.agree()
    write(log, "a", "6")
    drain(relay)

    assert receiver.ids == list("123456")
    assert receiver.at == log.head()[0] == Position(2, 1)


def test_what_was_written_before_that_was_noticed_arrives_too(log: SqlLog) -> None:
    """The issuer serves while its relay is away: new records stand where the receiver has had others."""
    write(log, "a", *"12345")
    receiver = Receiver()
    drain(make_relay(log, receiver))
    put_back(log, Position(1, 3))
    write(log, "a", "6")

    drain(make_relay(log, receiver))
    write(log, "a", "7")
    drain(make_relay(log, receiver))

    assert receiver.ids == list("1234567")
    assert receiver.at == log.head()[0] == Position(2, 1)


def test_a_log_that_was_put_back_and_has_outgrown_the_receiver_is_noticed(log: SqlLog) -> None:
    write(log, "a", *"12345")
    receiver, restored = Receiver(), Restored(log)
    drain(make_relay(log, receiver))
    put_back(log, Position(1, 3))
    write(log, "a", *"6789")

    drain(make_relay(log, receiver, on_restored=restored, limit=2))
    write(log, "a", "0")
    drain(make_relay(log, receiver, on_restored=restored, limit=2))

    assert restored.seen == [Position(1, 5)]
    assert receiver.ids == list("1234567890")
    assert receiver.at == log.head()[0] == Position(2, 1)


def test_it_is_noticed_under_a_running_relay_too(log: SqlLog) -> None:
    write(log, "a", *"12345")
    receiver, restored = Receiver(), Restored(log)
    relay = make_relay(log, receiver, on_restored=restored)
    drain(relay)
    put_back(log, Position(1, 3))
    write(log, "a", *"6789")

    drain(relay)

    assert restored.seen == [Position(1, 5)]
    assert receiver.ids == list("123456789")


class Trusting(Receiver):
    """Control: looks at positions alone."""

    def send(self, post: Post) -> Position:
        return super().send(replace(post, prev_hash=b""))


class GoesOn(Relay):
    """Control: goes on from wherever the receiver is."""

    def _go_on_from(self, position: Position, *, ours: bool = True) -> Position:
        del ours
        self._cursor = position
        return position


def test_control_by_positions_alone_it_would_miss_records(log: SqlLog) -> None:
    write(log, "a", *"12345")
    receiver = Trusting()
    drain(make_relay(log, receiver))
    put_back(log, Position(1, 3))
    write(log, "a", *"6789")

    drain(make_relay(log, receiver))

    assert receiver.ids == list("1234589")


def test_control_from_the_receivers_position_on_it_would_miss_records(log: SqlLog) -> None:
    write(log, "a", *"12345")
    receiver = Receiver()
    drain(make_relay(log, receiver))
    put_back(log, Position(1, 3))
    write(log, "a", "6")

    drain(make_relay(log, receiver, kind=GoesOn))

    assert "6" not in receiver.ids


def test_when_both_were_put_back_all_is_told_again(log: SqlLog) -> None:
    write(log, "a", *"12345")
    drain(make_relay(log, Receiver()))
    receiver, restored = Receiver(), Restored(log)
    relay = make_relay(log, receiver, on_restored=restored)
    relay.agree()
    receiver.at = Position(0, 7)  # a backup of another installation

    drain(relay)

    assert receiver.ids == list("12345")


def test_a_receiver_that_insists_on_another_history_does_not_raise_epoch_after_epoch(log: SqlLog) -> None:
    class Insists(Receiver):
        def send(self, post: Post) -> Position:
            self.posts.append(post)
            raise OtherHistory(Position(1, 2))

    write(log, "a", *"12345")
    receiver, restored = Insists(), Restored(log)
    receiver.at = Position(1, 2)
    relay = make_relay(log, receiver, on_restored=restored)

    relay.step()
    for _ in range(3):
        with pytest.raises(OtherHistory):
            relay.step()

    assert restored.seen == [Position(1, 2)]
    assert [each.replaces for each in receiver.posts] == [None, *[Position(1, 2)] * 3]


def test_a_restore_that_fails_halfway_is_done_again(log: SqlLog) -> None:
    write(log, "a", *"12")
    receiver = Receiver()
    receiver.at = Position(3, 9)
    calls = iter([True, False])

    def on_restored(position: Position) -> None:
        if next(calls):
            raise ConnectionResetError
        log.raise_epoch(above=position.epoch)

    drain(make_relay(log, receiver, on_restored=on_restored))

    assert receiver.at == log.head()[0] == Position(4, 0)


def test_a_receiver_that_never_agrees_is_not_asked_in_a_tight_loop(log: SqlLog) -> None:
    class Stubborn(Receiver):
        def send(self, post: Post) -> Position:
            del post
            return BEGINNING

    write(log, "a", "1")

    assert make_relay(log, Stubborn(), limit=1).step() is False

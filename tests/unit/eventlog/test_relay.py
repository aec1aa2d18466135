from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from contract.event_log_contract import event
from kit.receiver import Fault, Receiver

from eventlog.errors import StoreUnavailable
from eventlog.port import Checkpoint
from eventlog.relay import OtherHistory, Post, Relay
from eventlog.sql.engine import write_connection
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from rescind.position import BEGINNING, Position

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
        types=frozenset({TOLD}),
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


def test_only_what_is_of_interest_is_told_with_a_mark_over_everything(log: SqlLog) -> None:
    write(log, "a", "1")
    write(log, "b", "2", type_=KEPT)
    receiver = Receiver()

    assert make_relay(log, receiver).step() is False

    assert receiver.ids == ["1"]
    (mark,) = receiver.marks
    assert (mark.position, mark.applied, mark.live_sessions) == (Position(1, 2), Position(1, 7), 3)
    assert mark.time == log.watermark().time > 0


def test_a_mark_leaves_also_when_nothing_happened(log: SqlLog) -> None:
    receiver = Receiver()
    relay = make_relay(log, receiver)

    relay.step()
    Sequencer(log).number()
    relay.step()

    assert [each.position for each in receiver.marks] == [Position(1, 0)] * 2
    assert receiver.marks[0].time == 0 < receiver.marks[1].time


def test_a_part_of_the_log_is_not_vouched_for_by_the_time_of_the_whole(log: SqlLog) -> None:
    write(log, "a", *"12345")
    receiver = Receiver()
    relay = make_relay(log, receiver, limit=2)

    assert [relay.step(), relay.step(), relay.step()] == [True, True, False]

    assert receiver.ids == list("12345")
    assert [(str(each.position), each.time > 0) for each in receiver.marks] == [("1.2", False), ("1.4", False), ("1.5", True)]


def test_a_time_is_forgotten_when_the_receiver_goes_back(log: SqlLog) -> None:
    write(log, "a", *"1234")
    receiver = Receiver()
    relay = make_relay(log, receiver, limit=3)
    drain(relay, rounds=3)
    receiver.at, receiver.ids, receiver.marks = None, [], []

    drain(relay, rounds=3)

    assert receiver.ids == list("1234")
    assert [(str(each.position), each.time > 0) for each in receiver.marks] == [("1.3", False), ("1.4", True)]


@pytest.mark.parametrize("faults", list(itertools.product(Fault, repeat=3)), ids=lambda each: "-".join(one.value for one in each))
def test_nothing_is_lost_or_told_twice_whatever_happens_to_a_post(sqlite_log: SqlLog, faults: tuple[Fault, ...]) -> None:
    write(sqlite_log, "a", *"12345")
    receiver = Receiver()
    receiver.faults = list(faults)

    drain(make_relay(sqlite_log, receiver, limit=2))
    drain(make_relay(sqlite_log, receiver, limit=2))  # a new process

    assert receiver.ids == list("12345")
    assert receiver.at == Position(1, 5)


class AnswersFirst(Receiver):
    """Control: it says that it has what it then loses."""

    def send(self, post: Post) -> Position:
        if Fault.LOST in self.faults[:1]:
            self.faults.pop(0)
            self.at = post.mark.position
            return self.at
        return super().send(post)


def test_control_a_loss_would_be_seen(sqlite_log: SqlLog) -> None:
    write(sqlite_log, "a", *"12345")
    receiver = AnswersFirst()
    receiver.faults = [Fault.NONE, Fault.LOST]

    drain(make_relay(sqlite_log, receiver, limit=2))

    assert receiver.ids == list("125")


class Mute(Receiver):
    """A sink that cannot be asked where it is, as a topic."""

    def position(self) -> Position | None:
        return None


def test_where_the_receiver_cannot_be_asked_the_durable_cursor_counts(log: SqlLog) -> None:
    write(log, "a", "1", "2")
    receiver = Mute()
    make_relay(log, receiver).step()
    write(log, "a", "3")
    make_relay(log, receiver).step()

    assert [each.prev for each in receiver.posts] == [BEGINNING, Position(1, 2)]
    assert receiver.ids == ["1", "2", "3"]


def test_the_cursor_is_saved_once_a_second(log: SqlLog) -> None:
    receiver = Receiver()
    times = iter([100.0, 100.0, 100.9, 101.0, 101.0, 102.0, 102.0])
    relay = make_relay(log, receiver, clock=lambda: next(times))
    kept: list[str] = []

    for each in "123":
        write(log, "a", each)
        relay.step()
        kept.append(log.cursor(None, "express"))
    write(log, "a", "4")
    relay.step()

    assert kept == ["1.1", "1.1", "1.3"]
    assert log.cursor(None, "express") == "1.4"


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


class Impatient(threading.Event):
    """Never waits; stops after so many waits."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.left = waits

    def wait(self, timeout: float | None = None) -> bool:
        del timeout
        self.left -= 1
        if self.left <= 0:
            self.set()
        return self.is_set()


def test_trouble_is_named_without_what_was_said(log: SqlLog) -> None:
    receiver = Receiver()
    receiver.faults = [Fault.LOST] * 2
    relay = make_relay(log, receiver)
    assert relay.trouble == "not connected yet"

    relay.run(Impatient(2))

    assert relay.trouble == "ConnectionRefusedError, 2 times in a row"


def test_trouble_of_our_own_is_named_in_its_words(log: SqlLog) -> None:
    class Away(Receiver):
        def send(self, post: Post) -> Position:
            del post
            raise StoreUnavailable("the receiver is away")

    relay = make_relay(log, Away())
    relay.run(Impatient(2))

    assert relay.trouble == "the receiver is away, 2 times in a row"


def test_running_it_tells_what_is_numbered(log: SqlLog) -> None:
    told, stop = threading.Event(), threading.Event()

    class Telling(Receiver):
        def send(self, post: Post) -> Position:
            reached = super().send(post)
            if self.ids:
                told.set()
            return reached

    receiver = Telling()
    relay = make_relay(log, receiver)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(relay.run, stop)
        write(log, "a", "1")
        heard = told.wait(timeout=30)
        stop.set()
        running.result(timeout=30)

    assert heard
    assert relay.trouble == ""

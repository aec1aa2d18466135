from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from kit.receiver import Fault, Receiver
from kit.relaying import KEPT, drain, make_relay, write

from eventlog.errors import StoreUnavailable
from eventlog.relay import Post
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from rescind.position import BEGINNING, Position


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

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from eventlog.errors import StoreUnavailable
from rescind.position import Position
from services.revocation.acks import Ack, Acks
from services.revocation.numbered import Numbered


def ack(at: int, *, instance: str = "one") -> Ack:
    return Ack(
        verifier="api",
        instance=instance,
        at=Position(1, at),
        max_staleness=10_000,
        policy="strict",
        heard=float(at),
        reached=((Position(1, at), float(at)),),
    )


class Store:
    def __init__(self) -> None:
        self.batches: list[Sequence[Ack]] = []
        self.away = False

    def __call__(self, batch: Sequence[Ack]) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.batches.append(batch)


def test_acknowledgements_of_one_instance_are_joined() -> None:
    store = Store()
    acks = Acks(store)
    acks.put(ack(1))
    acks.put(ack(2))
    acks.put(ack(1, instance="two"))
    acks.flush()
    (batch,) = store.batches
    assert {each.instance: (each.at.seq, [at.seq for at, _ in each.reached]) for each in batch} == {
        "one": (2, [1, 2]),
        "two": (1, [1]),
    }
    acks.flush()
    assert len(store.batches) == 1


def test_what_could_not_be_stored_waits() -> None:
    store = Store()
    acks = Acks(store)
    acks.put(ack(1))
    store.away = True
    with pytest.raises(StoreUnavailable):
        acks.flush()
    store.away = False
    acks.put(ack(2))
    acks.flush()
    assert [at.seq for at, _ in store.batches[0][0].reached] == [1, 2]


def test_what_comes_while_a_batch_is_stored_is_kept() -> None:
    batches: list[Sequence[Ack]] = []

    def write(batch: Sequence[Ack]) -> None:
        batches.append(batch)
        if len(batches) == 1:
            acks.put(ack(2))

    acks = Acks(write)
    acks.put(ack(1))
    acks.flush()
    acks.flush()
    assert batches[1][0].at == Position(1, 2)


def talk(acks: Acks, instance: str) -> None:
    for seq in range(1, 101):
        acks.put(ack(seq, instance=instance))


def test_a_storm_is_stored_in_few_batches_and_loses_nothing() -> None:
    store = Store()
    acks, stop = Acks(store), threading.Event()
    with ThreadPoolExecutor(9) as pool:
        storing = pool.submit(acks.run, stop)
        for each in [pool.submit(talk, acks, str(n)) for n in range(8)]:
            each.result()
        stop.set()
        storing.result()
    acks.flush()
    reached = {(each.instance, at.seq) for batch in store.batches for each in batch for at, _ in each.reached}
    assert reached == {(str(n), seq) for n in range(8) for seq in range(1, 101)}
    assert len(store.batches) < 100


def test_whoever_waits_for_a_fact_is_told_its_position() -> None:
    numbered = Numbered()
    with numbered.expected("e") as one, numbered.expected("e") as other:
        numbered.saw("another", Position(1, 1))
        assert not one.done()
        numbered.saw("e", Position(1, 2))
        numbered.saw("e", Position(1, 2))
        assert (one.result(0), other.result(0)) == (Position(1, 2), Position(1, 2))
    with numbered.expected("e") as later:
        assert not later.done()

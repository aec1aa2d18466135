from __future__ import annotations

import math

import pytest

from rescind.freshness import LIST, Freshness, boot_clock
from rescind.position import Position

ISS = "https://issuer.example"
HEAD = Position(1, 5)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def freshness(clock: Clock) -> Freshness:
    return Freshness(clock)


def test_nothing_is_proven_at_start(freshness: Freshness) -> None:
    assert freshness.age_ms(ISS) == math.inf
    assert freshness.age_ms() == math.inf


def test_an_answer_proves_nothing_until_its_head_is_applied(freshness: Freshness, clock: Clock) -> None:
    freshness.applied(Position(1, 4))
    freshness.acked(clock.now, HEAD, 10, {ISS: 40})
    assert freshness.age_ms(ISS) == math.inf
    clock.now += 100
    freshness.applied(HEAD)
    assert freshness.age_ms(ISS) == 140
    assert freshness.age_ms(LIST) == 110


def test_age_counts_from_the_asking_not_from_the_answer(freshness: Freshness, clock: Clock) -> None:
    asked = clock.now
    freshness.applied(HEAD)
    clock.now += 8_000  # the answer was held back
    freshness.acked(asked, HEAD, 0, {ISS: 0})
    assert freshness.age_ms(ISS) == 8_000


def test_an_issuer_is_never_younger_than_the_list(freshness: Freshness, clock: Clock) -> None:
    freshness.applied(HEAD)
    freshness.acked(clock.now, HEAD, 700, {ISS: 3})
    assert freshness.age_ms(ISS) == 700


def test_an_issuer_that_is_no_source_is_never_fresh(freshness: Freshness, clock: Clock) -> None:
    freshness.applied(HEAD)
    freshness.acked(clock.now, HEAD, 0, {ISS: 0})
    assert freshness.age_ms("https://other.example") == math.inf


def test_a_source_that_falls_silent_ages(freshness: Freshness, clock: Clock) -> None:
    freshness.applied(HEAD)
    freshness.acked(clock.now, HEAD, 0, {ISS: 0})
    clock.now += 60_000
    freshness.acked(clock.now, HEAD, 0, {ISS: 60_000})
    assert freshness.age_ms(ISS) == 60_000
    freshness.acked(clock.now, HEAD, 0, {})
    assert freshness.age_ms(ISS) == 60_000
    assert freshness.age_ms() == 0


def test_a_late_answer_never_makes_it_older_or_younger(freshness: Freshness, clock: Clock) -> None:
    freshness.applied(HEAD)
    first = clock.now
    clock.now += 5_000
    freshness.acked(clock.now, HEAD, 0, {ISS: 0})
    freshness.acked(first, HEAD, 0, {ISS: 0})
    assert freshness.age_ms(ISS) == 0


def test_a_negative_age_counts_as_zero(freshness: Freshness, clock: Clock) -> None:
    freshness.applied(HEAD)
    freshness.acked(clock.now, HEAD, -9_000, {ISS: -9_000})
    assert freshness.age_ms(ISS) == 0


def test_the_head_of_an_ended_epoch_proves_nothing(freshness: Freshness, clock: Clock) -> None:
    freshness.applied(Position(2, 1))
    freshness.acked(clock.now, Position(1, 900), 0, {ISS: 0})
    assert freshness.age_ms(ISS) == math.inf
    freshness.acked(clock.now, Position(2, 1), 0, {ISS: 0})
    assert freshness.age_ms(ISS) == 0


def test_a_verifier_that_is_always_a_little_behind_still_proves_the_older_heads(freshness: Freshness, clock: Clock) -> None:
    freshness.applied(Position(1, 0))
    for seq in range(1, 500):
        clock.now += 10
        freshness.acked(clock.now, Position(1, seq), 0, {ISS: 0})
    freshness.applied(Position(1, 3))
    assert freshness.age_ms(ISS) == 4_960  # the third head, asked at its time
    freshness.applied(Position(1, 499))
    assert freshness.age_ms(ISS) == 0  # the newest answer was kept


def test_the_clock_runs() -> None:
    before = boot_clock()
    assert boot_clock() >= before > 0

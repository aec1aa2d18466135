from __future__ import annotations

import pytest

from rescind.position import Position
from services.revocation.decisions.receipts import Heard, Reached, Receipt, State, receipt

FACT = Position(1, 10)
ARRIVED, NOW = 50_000, 60_000


def heard(at: Position = FACT, *, since: int = 1_000, ago: int = 100, policy: str = "strict") -> Heard:
    return Heard(verifier="api", instance="1", at=at, since=since, heard=NOW - ago, max_staleness=10_000, policy=policy)


def written(*instances: Reached, position: Position | None = FACT, known_from: int = 0) -> Receipt:
    return receipt(instances, position=position, arrived=ARRIVED, now=NOW, known_from=known_from)


def test_the_delay_runs_from_the_facts_arrival_to_its_application() -> None:
    (line,) = written(Reached(heard(), ARRIVED + 12)).lines
    assert (line.applied, line.after_ms, line.state) == (True, 12, State.LIVE)


def test_who_is_behind_has_not_applied_it_and_is_pending() -> None:
    found = written(Reached(heard(Position(1, 9)), None))
    assert [line.applied for line in found.pending] == [False]
    assert not found.complete


def test_who_is_in_a_later_epoch_has_applied_it() -> None:
    assert written(Reached(heard(Position(2, 0)), ARRIVED + 9)).complete


@pytest.mark.parametrize(("policy", "state"), [("strict", State.DENYING), ("best_effort", State.MAY_ACCEPT)])
def test_who_was_not_heard_within_its_own_staleness_is_not_waited_for(policy: str, state: State) -> None:
    found = written(Reached(heard(Position(1, 9), ago=10_001, policy=policy), None))
    assert found.lines[0].state is state
    assert found.complete


def test_heard_just_within_its_staleness_is_live() -> None:
    assert not written(Reached(heard(Position(1, 9), ago=10_000), None)).complete


def test_who_joined_later_has_it_without_a_delay() -> None:
    (line,) = written(Reached(heard(since=ARRIVED + 1), ARRIVED + 5)).lines
    assert (line.applied, line.joined_later, line.after_ms) == (True, True, None)


def test_no_delay_is_told_from_acknowledgements_that_are_no_longer_kept() -> None:
    (line,) = written(Reached(heard(), NOW - 1), known_from=ARRIVED + 1).lines
    assert (line.applied, line.after_ms) == (True, None)


def test_clocks_that_disagree_by_a_little_give_no_negative_delay() -> None:
    assert written(Reached(heard(), ARRIVED - 3)).lines[0].after_ms == 0


def test_without_a_position_nobody_can_have_applied_it() -> None:
    assert not written(Reached(heard(Position(9, 9)), 1), position=None).complete

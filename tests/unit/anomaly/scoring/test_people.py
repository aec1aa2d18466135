"""A small synthetic population: few are bothered, most attackers are seen. The benchmark measures the real targets."""

from __future__ import annotations

from statistics import mean

import pytest

from benchmarks.anomaly import behaviour
from benchmarks.freeman import Freeman
from benchmarks.measuring import Tally, measure
from benchmarks.traffic.params import draw
from benchmarks.traffic.playing import Population, Scorer, populate
from benchmarks.traffic.shipped import Shipped


class Unanswered(Shipped):
    """Learns nothing from step-ups."""

    def judge(self, event: dict[str, object]) -> tuple[float, str]:
        return (0.0, "none") if event["type"] == "StepUpPassed" else super().judge(event)


@pytest.fixture(scope="module")
def population() -> Population:
    return populate(draw(51, users=60, days=35))


def found(population: Population, scorer: Scorer) -> Tally:
    return measure(population, scorer)


@pytest.fixture(scope="module")
def shipped(population: Population) -> Tally:
    return found(population, Shipped())


def test_few_honest_people_are_interrupted_and_most_attackers_seen(shipped: Tally) -> None:
    assert shipped.per_1000 < 15
    assert (shipped.revoked, shipped.races_killed) == (0, 0)
    assert behaviour(shipped) > 0.7


def test_each_stolen_token_is_seen_when_its_owner_comes_back(shipped: Tally) -> None:
    assert mean(shipped.rate(shipped.caught, attack) for attack in ("replay_foreign", "replay_vpn")) > 0.95


def test_control_a_scorer_that_lets_all_pass_is_seen_to(population: Population) -> None:
    assert behaviour(found(population, Freeman())) == 0


def test_control_without_answers_to_its_questions_it_asks_again_and_again(population: Population, shipped: Tally) -> None:
    assert found(population, Unanswered()).per_1000 > 1.5 * shipped.per_1000

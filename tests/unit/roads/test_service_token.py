from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from services.roads.errors import NoAnswer
from services.roads.service_token import Granted, ServiceToken


@dataclass
class Issuer:
    """Gives tokens of a hundred seconds, unless it is away."""

    now: float = 1000.0
    away: bool = False
    asked: int = 0
    token: ServiceToken = field(init=False)

    def __post_init__(self) -> None:
        self.token = ServiceToken(self.ask, clock=lambda: self.now)

    def ask(self) -> Granted:
        self.asked += 1
        if self.away:
            raise NoAnswer("the issuer", "cannot be reached")
        return Granted(f"token-{self.asked}", 100)

    def at(self, seconds: float) -> str:
        self.now = 1000.0 + seconds
        return self.token.current()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def test_one_token_serves_for_half_its_life(issuer: Issuer) -> None:
    assert [issuer.at(0), issuer.at(49), issuer.at(50), issuer.at(99)] == ["token-1", "token-1", "token-2", "token-2"]


def test_while_the_issuer_is_away_the_old_one_serves_to_its_end(issuer: Issuer) -> None:
    issuer.at(0)
    issuer.away = True
    assert {issuer.at(second) for second in range(50, 100)} == {"token-1"}
    assert issuer.asked == 1 + 2  # not for every request: the issuer may be a black hole
    with pytest.raises(NoAnswer):
        issuer.at(100)
    issuer.away = False
    assert issuer.at(101) == f"token-{issuer.asked}"


def test_without_any_the_trouble_is_told_each_time(issuer: Issuer) -> None:
    issuer.away = True
    for _ in range(2):
        with pytest.raises(NoAnswer):
            issuer.at(0)
    assert issuer.asked == 2


def test_a_refused_one_is_replaced(issuer: Issuer) -> None:
    issuer.token.refused(issuer.at(0))
    assert issuer.at(1) == "token-2"


def test_an_older_one_that_was_refused_is_replaced_already(issuer: Issuer) -> None:
    old = issuer.at(0)
    issuer.at(60)
    issuer.token.refused(old)
    assert (issuer.at(61), issuer.asked) == ("token-2", 2)


def test_a_refused_one_is_all_there_is_while_the_issuer_is_away(issuer: Issuer) -> None:
    issuer.token.refused(issuer.at(0))
    issuer.away = True
    assert issuer.at(1) == "token-1"


def test_it_shows_nothing_of_itself(issuer: Issuer) -> None:
    issuer.at(0)
    assert "token-1" not in repr(issuer.token) + repr(Granted("token-1", 1))

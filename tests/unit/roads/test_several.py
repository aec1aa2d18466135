"""Of several processes of one service, the next is asked when one does not answer."""

from __future__ import annotations

import pytest

from services.roads.errors import NoAnswer
from services.roads.several import AnyOf
from services.roads.wire import Answer


class Process:
    """Answers with `status`, or not at all."""

    def __init__(self, name: str, status: int | None) -> None:
        self.name = name
        self.status = status
        self.asked = 0

    def send(self, *_: object, **__: object) -> Answer:
        self.asked += 1
        if self.status is None:
            raise NoAnswer(self.name, "cannot be reached")
        return Answer(self.name, self.status, {})


def ask(several: AnyOf) -> str:
    return several.send("GET", "/", headers={}).who


@pytest.mark.parametrize("trouble", [None, 503])
def test_the_next_one_is_asked_and_stays_the_first(trouble: int | None) -> None:
    one, other = Process("one", trouble), Process("other", 200)
    several = AnyOf([one, other])
    assert [ask(several), ask(several), one.asked] == ["other", "other", 1]
    other.status, one.status = trouble, 200
    assert ask(several) == "one"


@pytest.mark.parametrize("status", [200, 401, 409, 429, 500])
def test_a_service_that_answers_is_not_gone_around(status: int) -> None:
    one, other = Process("one", status), Process("other", 200)
    assert (ask(AnyOf([one, other])), other.asked) == ("one", 0)


def test_when_nobody_answers_that_is_said() -> None:
    with pytest.raises(NoAnswer, match="other cannot be reached"):
        ask(AnyOf([Process("one", None), Process("other", None)]))
    assert AnyOf([Process("one", 503), Process("other", 503)]).send("GET", "/", headers={}).status == 503

from __future__ import annotations

import asyncio
import threading

import pytest

from eventlog.errors import Overloaded
from services.issuer.api.lanes import Lane


def test_so_many_work_so_many_wait_and_the_rest_is_sent_away() -> None:
    gate, both_work = threading.Event(), threading.Event()
    working: list[int] = []

    def work(number: int) -> int:
        working.append(number)
        if len(working) == 2:
            both_work.set()
        assert gate.wait(10)
        return number

    async def story() -> list[int | BaseException]:
        lane = Lane(width=2, waiting=3)
        tasks = [asyncio.ensure_future(lane.run(lambda number=number: work(number))) for number in range(8)]  # type: ignore[misc]
        await asyncio.to_thread(both_work.wait, 10)
        assert len(working) == 2
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(story())
    assert sorted(answer for answer in answers if isinstance(answer, int)) == [0, 1, 2, 3, 4]
    assert [isinstance(answer, Overloaded) for answer in answers] == [False] * 5 + [True] * 3


def test_an_error_reaches_its_caller() -> None:
    def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(Lane(width=1, waiting=1).run(fail))

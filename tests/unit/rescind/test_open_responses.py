from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

from kit.feed_server import ISS

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.judging import Policy
from rescind.open_responses import OpenResponses
from rescind.verifier import Verifier

NOW = 10_000
ENDED = Denied(Denial.SESSION_REVOKED, "ended")
CLAIMS = Claims(iss=ISS, sub="ann", aud=("api",), exp=NOW + 900, iat=NOW, jti="j", client_id="web", sid="s1", sn=1)


@dataclass
class Judge:
    """Stands in for a verifier: who is refused, and who listens."""

    refused: set[int] = field(default_factory=set)
    listeners: list[Callable[[bool], None]] = field(default_factory=list)
    asked: int = 0

    def judge(self, claims: Claims, *, policy: Policy | None = None) -> Denied | None:
        del policy
        self.asked += 1
        return ENDED if claims.sn in self.refused else None

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


class Response:
    policy: Policy | None = None

    def __init__(self, claims: Claims = CLAIMS) -> None:
        self.claims = claims
        self.loop = asyncio.get_running_loop()
        self.refusals: list[Denied] = []

    def refuse(self, denied: Denied) -> None:
        self.refusals.append(denied)


def responses(judge: Judge) -> OpenResponses:
    return OpenResponses(cast("Verifier", judge), now=lambda: NOW)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_what_the_list_refuses_is_closed_and_nothing_else() -> None:
    async def story() -> None:
        judge = Judge()
        opened = responses(judge)
        doomed, other = Response(), Response(replace(CLAIMS, sn=2))
        for one in (doomed, other):
            opened.add(one)
        judge.refused.add(1)
        await asyncio.to_thread(judge.listeners[0], False)
        await settle()
        assert (doomed.refusals, other.refusals) == ([ENDED], [])

    asyncio.run(story())


def test_what_ended_before_it_was_opened_is_closed_at_once() -> None:
    async def story() -> None:
        late = Response()
        responses(Judge({1})).add(late)
        assert late.refusals == [ENDED]

    asyncio.run(story())


def test_many_changes_in_a_row_are_one_sweep() -> None:
    async def story() -> None:
        judge = Judge()
        responses(judge).add(Response())
        asked = judge.asked
        for _ in range(100):
            judge.listeners[0](False)
        await settle()
        assert judge.asked == asked + 1
        judge.listeners[0](False)
        await settle()
        assert judge.asked == asked + 2

    asyncio.run(story())


def test_after_a_snapshot_only_streams_whose_token_has_expired_must_connect_again() -> None:
    """The new list no longer names their session, whatever happened to it; it would name one whose token still lives."""

    async def story() -> None:
        judge = Judge()
        opened = responses(judge)
        expired, living = Response(replace(CLAIMS, exp=NOW - 61)), Response(replace(CLAIMS, exp=NOW + 1))
        for one in (expired, living):
            opened.add(one)
        judge.listeners[0](False)
        await settle()
        assert expired.refusals == []  # a rotation goes on without the first token
        judge.listeners[0](True)
        await settle()
        assert [denied.reason for denied in expired.refusals] == [Denial.EXPIRED]
        assert living.refusals == []

    asyncio.run(story())


def test_nobody_listens_while_nothing_is_open() -> None:
    async def story() -> None:
        judge = Judge()
        opened = responses(judge)
        first, second = Response(), Response()
        opened.add(first)
        opened.add(second)
        opened.remove(first)
        assert len(judge.listeners) == 1
        opened.remove(second)
        opened.remove(second)
        assert judge.listeners == []
        opened.add(first)
        assert len(judge.listeners) == 1
        opened.remove(first)

    asyncio.run(story())

"""Guarantee 1 and the issuer's half of guarantee 6, with real processes on real databases."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from kit.issuing import World, open_world
from kit.refresh_workers import PIPE, SPAWN, chains, endings, race, start_process

from eventlog.sql.engine import open_engine
from rescind.events.session import TokenRefreshed
from services.issuer.errors import InvalidToken, SessionEnded
from services.times import now_ms

PROCESSES, EACH = 4, 5


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    engine = open_engine(database_url, schema="test")
    opened = open_world(engine)
    opened.clock.ms = now_ms()
    opened.account()
    yield opened
    engine.dispose()


def refresh_at_once(url: str, token: str, *, broken: bool) -> list[str]:
    start = SPAWN.Barrier(PROCESSES)
    started = [start_process(race, url, token, start, PIPE, nth, EACH, broken) for nth in range(PROCESSES)]
    outcomes = [outcome for _, pipe in started for outcome in pipe.recv()]
    for process, _ in started:
        process.join(30)
    return outcomes


def rotations(world: World, sid: str) -> int:
    return sum(isinstance(each, TokenRefreshed) for each in world.events(sid=sid))


def test_twenty_refreshes_at_once_from_four_processes_have_one_child(world: World, database_url: str) -> None:
    first = world.sign_in()
    outcomes = refresh_at_once(database_url, first.refresh, broken=False)
    assert len(outcomes) == 20
    assert len(set(outcomes)) == 1
    assert rotations(world, first.sid) == 1
    world.clock.ms = now_ms()
    assert world.refresh(outcomes[0]).generation == 3  # nobody was signed out


def test_an_issuer_that_decides_on_what_it_read_before_has_several(world: World, database_url: str) -> None:
    """The negative control: the test above can fail."""
    first = world.sign_in()
    outcomes = refresh_at_once(database_url, first.refresh, broken=True)
    assert len(set(outcomes)) > 1
    assert rotations(world, first.sid) > 1


def kill_while_refreshing(world: World, url: str, *, broken: bool, answers: int) -> list[str]:
    """The tokens that clients hold when the issuer dies between two answers."""
    held = [world.sign_in().refresh for _ in range(3)]
    process, pipe = start_process(chains, url, list(held), PIPE, broken)
    for _ in range(answers):
        nth, token = pipe.recv()
        held[nth] = token
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    while True:
        try:
            nth, token = pipe.recv()
        except EOFError:
            return held
        held[nth] = token


@pytest.mark.parametrize("answers", [1, 20, 61])
def test_a_kill_in_the_middle_of_refreshes_loses_no_answer(world: World, database_url: str, answers: int) -> None:
    held = kill_while_refreshing(world, database_url, broken=False, answers=answers)
    world.clock.ms = now_ms()
    for token in held:  # current, or the parent of a child whose answer was lost with the process
        assert world.refresh(token).refresh != token


def test_an_issuer_that_answers_before_it_commits_loses_them(world: World, database_url: str) -> None:
    """The negative control: the test above can fail."""
    held = kill_while_refreshing(world, database_url, broken=True, answers=20)
    world.clock.ms = now_ms()
    for token in held:
        with pytest.raises(InvalidToken):
            world.refresh(token)


def test_a_kill_in_the_middle_of_revocations_brings_no_session_back(world: World, database_url: str) -> None:
    process, pipe = start_process(endings, database_url, PIPE)
    ended = [pipe.recv() for _ in range(15)]
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    world.clock.ms = now_ms()
    for token in ended:
        with pytest.raises(SessionEnded):
            world.refresh(token)

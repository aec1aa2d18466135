"""Processes that refresh, and broken variants of the issuer that must be found out."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier

from kit.issuing import HOME, MASTER, PASSWORD, SETTINGS, cheap_hasher

from eventlog.deciding import Committer
from eventlog.sql.engine import open_engine
from eventlog.sql.log import SqlLog
from services.access import SCOPES
from services.issuer.contexts import Login
from services.issuer.decisions.session import Session
from services.issuer.minting import Granted
from services.issuer.networks import Networks
from services.issuer.rotating import Refresh, Rotating
from services.issuer.sql.unit import Unit
from services.issuer.views import Pair
from services.issuer.wiring import Issuer, new_id, open_issuer
from services.times import now_ms

SPAWN = multiprocessing.get_context("spawn")


class ReadsThenWrites(Rotating):
    """Broken: decides on what it read before, in a transaction of its own, like a cache or an ORM without locks."""

    between: Callable[[], object]

    def commit(self, batch: Sequence[Refresh]) -> Sequence[Granted | Exception]:
        loaded = self._store.write(lambda unit: self._load(unit, sorted({each.token.sid for each in batch})))
        self.between()

        def work(unit: Unit) -> list[Granted | Exception]:
            results = [self._decide(unit, loaded, each) for each in batch]
            unit.sessions.save_all(list(loaded.changed.values()))
            _renumber(unit, self._store.log)
            return results

        return self._store.write(work)


class AnswersBeforeCommit(Rotating):
    """Broken: keeps what it decided in memory, to write it when there is time."""

    def __init__(self, inner: Rotating) -> None:
        self.__dict__.update(inner.__dict__)
        self._states: dict[str, Session] = {}

    def commit(self, batch: Sequence[Refresh]) -> Sequence[Granted | Exception]:
        def work(unit: Unit) -> list[Granted | Exception]:
            loaded = self._load(unit, sorted({each.token.sid for each in batch}))
            loaded.sessions.update(self._states)
            results = [self._decide(unit, loaded, each) for each in batch]
            self._states.update(loaded.changed)
            unit.entries.clear()
            return results

        return self._store.write(work)


def _renumber(unit: Unit, log: SqlLog) -> None:
    """Give the events whatever versions are free: the naive writer has no compare-and-set."""
    streams = sorted({entry.stream for entry in unit.entries})
    free = log.versions(unit.connection, streams)
    for nth, entry in enumerate(unit.entries):
        free[entry.stream] += 1
        unit.entries[nth] = replace(entry, version=free[entry.stream])


def issuer_at(url: str, schema: str, *, ahead_ms: int = 0) -> Issuer:
    """The issuer of an existing database, with the real clock."""
    return open_issuer(
        open_engine(url, schema=schema, pool=3),
        SETTINGS,
        MASTER,
        own_scopes=frozenset(SCOPES),
        now=lambda: now_ms() + ahead_ms,
        hasher=cheap_hasher,
        networks=Networks(),
    )


def _rotating(issuer: Issuer) -> Rotating:
    return Rotating(issuer.store, issuer.keys, issuer.settings, issuer.sessions.now, new_id)


def race(url: str, token: str, start: Barrier, pipe: Pipe, nth: int, count: int, broken: bool) -> None:
    """Refresh one token `count` times at once; sends the children, or the errors' names. Each process has its own clock."""
    issuer = issuer_at(url, "test", ahead_ms=nth * 1100)
    if broken:
        rotating = ReadsThenWrites.__new__(ReadsThenWrites)
        rotating.__dict__.update(_rotating(issuer).__dict__)
        rotating.between = lambda: start.wait(90)
        issuer = replace(issuer, sessions=replace(issuer.sessions, committer=Committer(rotating.commit, name="broken")))
    start.wait(90)
    answers: list[Future[Pair]] = [issuer.sessions.refresh(token, HOME) for _ in range(count)]
    while issuer.sessions.committer.step():
        pass
    pipe.send([_outcome(answer) for answer in answers])


def _outcome(answer: Future[Pair]) -> str:
    error = answer.exception(30)
    return type(error).__name__ if error else answer.result().refresh


def chains(url: str, tokens: list[str], pipe: Pipe, broken: bool) -> None:
    """Refresh several sessions for ever; sends (nth, token) for each answer that a client has received."""
    issuer = issuer_at(url, "test")
    if broken:
        forgetful = AnswersBeforeCommit(_rotating(issuer))
        issuer = replace(
            issuer,
            sessions=replace(issuer.sessions, committer=Committer(forgetful.commit, name="broken")),
        )
    sessions = issuer.sessions
    while True:
        answers = [sessions.refresh(token, HOME) for token in tokens]
        while sessions.committer.step():
            pass
        for nth, answer in enumerate(answers):
            tokens[nth] = answer.result(30).refresh
            pipe.send((nth, tokens[nth]))


def endings(url: str, pipe: Pipe) -> None:
    """Begin sessions and end them, by logout and by cut-off, for ever; sends a refresh token for each end that was answered."""
    issuer = issuer_at(url, "test")
    sessions = issuer.sessions
    while True:
        first, second = (sessions.sign_in(Login(username="alice", password=PASSWORD), HOME) for _ in range(2))
        sessions.logout(first.refresh)
        pipe.send(first.refresh)
        sessions.end_many(_subject_id(issuer, second), keep_sid=None, by="user")
        pipe.send(second.refresh)


def _subject_id(issuer: Issuer, pair: Pair) -> str:
    with issuer.store.reading() as unit:
        session = unit.sessions.find(pair.sid)
    return session.subject_id if session else ""


def start_process(target: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Pipe]:
    """A process that talks through a pipe."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=target, args=tuple(theirs if each is PIPE else each for each in arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


PIPE = object()
"""Stands for the process's end of the pipe among its arguments."""

"""A population lived through under a scorer's eyes: a step-up is answered, what it ends is ended, a stolen token collides."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from benchmarks.traffic.attacks import Attackers
from benchmarks.traffic.living import Life
from benchmarks.traffic.moments import Incident, Moment
from benchmarks.traffic.params import DAY, START, Params
from benchmarks.traffic.people import People
from benchmarks.traffic.world import World

STOPS = {"stepup", "revoke_session", "revoke_family", "revoke_subject"}


class Scorer(Protocol):
    """What is judged: one event in, score and action out."""

    def judge(self, event: dict[str, object]) -> tuple[float, str]: ...


@dataclass(slots=True)
class Population:
    params: Params
    people: int
    moments: list[Moment]
    incidents: dict[int, Incident]


@dataclass(slots=True)
class Judged:
    """One event and what was said of it. `theft`: the incident whose stolen session collides here with its owner."""

    moment: Moment
    score: float
    action: str
    theft: int = 0


def populate(params: Params) -> Population:
    """Everything that happens, if nobody interferes."""
    world = World(params)
    people = People(params, world)
    life = Life(params, people)
    life.live()
    attackers = Attackers(params, world, people, life)
    attackers.strike()
    end = START + params.days * DAY
    moments = sorted((each for each in (*life.moments, *attackers.moments) if each.ts < end), key=lambda each: each.ts)
    return Population(params, len(people.all), moments, attackers.incidents)


def play(population: Population, scorer: Scorer) -> Iterator[Judged]:
    """Every scored event in order. Sign-ins after a failed step-up come in between."""
    game = _Game(population, scorer)
    for moment in population.moments:
        while game.later and game.later[0][0] <= moment.ts:
            yield from game.turn(heapq.heappop(game.later)[2])
        yield from game.turn(moment)


class _Game:
    """What the past has changed: sessions that go on under another name, incidents that are over, tokens that are stolen."""

    def __init__(self, population: Population, scorer: Scorer) -> None:
        self.population, self.scorer = population, scorer
        self.rng = random.Random(f"play-{population.params.seed}")
        self.renamed: dict[str, str] = {}
        self.over: set[int] = set()
        self.stolen: dict[str, int] = {}
        self.later: list[tuple[int, int, Moment]] = []
        self.number = 0
        self.away: set[str] = set()  # sessions whose owner has not signed in anew yet

    def turn(self, moment: Moment) -> Iterator[Judged]:
        self.number += 1
        if moment.incident > 0 and moment.incident in self.over:
            return
        incident = self.population.incidents.get(moment.incident)
        sid, type_, theft = self.renamed.get(moment.sid, moment.sid), moment.type, 0
        if incident and incident.steals:
            if sid != incident.steals:  # the owner has another session by now
                self.over.add(incident.number)
                return
            self.stolen[sid] = incident.number
        elif not incident and sid in self.stolen and type_ in {"TokenRefreshed", "TokenReuse"}:
            type_, theft = "TokenReuse", self.stolen[sid]
        if type_ == "TokenReuse" and sid in self.away:
            return
        self.away -= {sid} if type_ == "TokenIssued" else set()
        moment = replace(moment, type=type_)
        eid = f"e{self.number}"
        event = {"eid": eid, "ts": moment.ts, "type": type_, "sub": moment.sub, **({"sid": sid} if sid else {}), **moment.fields}
        score, action = self.scorer.judge(event)
        yield Judged(moment, score, action, theft)
        if action in STOPS and not self._passed(moment, eid, sid, action, incident):
            self._end(moment, sid, theft, incident)

    def _passed(self, moment: Moment, eid: str, sid: str, action: str, incident: Incident | None) -> bool:
        if action != "stepup":
            return False
        passed = self.rng.random() < (incident.passes if incident else self.population.params.owner_passes)
        answer = {"eid": f"{eid}s", "ts": moment.ts + 900, "sub": moment.sub, "sid": sid, "ref": eid}
        self.scorer.judge(answer | {"type": "StepUpPassed" if passed else "StepUpFailed"})
        return passed

    def _end(self, moment: Moment, sid: str, theft: int, incident: Incident | None) -> None:
        self.over |= {theft, incident.number if incident else 0} - {0}
        self.stolen.pop(sid, None)
        if incident and not incident.steals:
            return
        fresh = f"{sid}+"  # the owner signs in anew: now, or when the old session is asked for
        self.renamed[moment.sid] = fresh
        self.away.add(fresh)
        if not incident and moment.type != "LoginFailed":
            again = Moment(moment.ts + 60_000, "TokenIssued", moment.sub, fresh, moment.fields, moment.person)
            heapq.heappush(self.later, (again.ts, self.number, again))

"""What a scorer did to a population: whom it interrupted, whom it caught, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.traffic.params import DAY, START
from benchmarks.traffic.playing import STOPS, Judged, Population, Scorer, play


@dataclass(slots=True)
class Tally:
    """Counts over one population or several. Interruptions are counted from the end of the warm-up; `all_` from the first day."""

    user_days: float = 0
    acts: Counter[str] = field(default_factory=Counter)  # honest, by type and by "type/kind of user"
    stopped: Counter[str] = field(default_factory=Counter)
    revoked: int = 0
    races: int = 0
    races_killed: int = 0
    all_user_days: float = 0
    all_stopped: int = 0
    incidents: Counter[str] = field(default_factory=Counter)
    behaviour: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    at_once: Counter[str] = field(default_factory=Counter)

    def add(self, population: Population, judged: Iterable[Judged]) -> None:
        params = population.params
        after = START + params.warmup_days * DAY
        self.user_days += population.people * (params.days - params.warmup_days)
        self.all_user_days += population.people * params.days
        firsts: dict[int, int] = {}
        seen: dict[int, int] = {}
        reused: set[int] = set()
        for each in judged:
            moment = each.moment
            stops = each.action in STOPS
            if moment.incident > 0:
                seen[moment.incident] = seen.get(moment.incident, 0) + (moment.type != "LoginFailed")
                if stops:
                    firsts.setdefault(moment.incident, seen[moment.incident])
            elif each.theft:
                if stops:
                    reused.add(each.theft)
            elif moment.incident == 0:
                self._honest(moment.type, moment.person, stops, each.action, counted=moment.ts >= after)
        for number, incident in population.incidents.items():
            if number not in seen:
                continue
            self.incidents[incident.attack] += 1
            self.behaviour[incident.attack] += number in firsts
            self.caught[incident.attack] += number in firsts or number in reused
            self.at_once[incident.attack] += firsts.get(number) == 1

    def _honest(self, type_: str, kind: str, stops: bool, action: str, *, counted: bool) -> None:
        if type_ == "TokenReuse":
            self.races += 1
            self.races_killed += stops
            return
        self.all_stopped += stops
        if not counted:
            return
        self.acts[type_] += 1
        self.acts[f"{type_}/{kind}"] += 1
        if stops:
            self.stopped[type_] += 1
            self.stopped[f"{type_}/{kind}"] += 1
            self.revoked += action != "stepup"

    def share(self, name: str) -> float:
        """The share of honest acts of this name that were interrupted."""
        return self.stopped[name] / self.acts[name] if self.acts[name] else 0.0

    def rate(self, found: Counter[str], attack: str) -> float:
        return found[attack] / self.incidents[attack] if self.incidents[attack] else 0.0

    @property
    def per_1000(self) -> float:
        return 1000 * (self.stopped["TokenIssued"] + self.stopped["TokenRefreshed"]) / self.user_days

    @property
    def per_1000_all(self) -> float:
        return 1000 * self.all_stopped / self.all_user_days


def measure(population: Population, scorer: Scorer) -> Tally:
    tally = Tally()
    tally.add(population, play(population, scorer))
    return tally

"""Honest life: sign-ins, refreshes at a client's cadence, wrong passwords, and refreshes that race with themselves."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.traffic.devices import Device, named
from benchmarks.traffic.moments import Fields, Lived, Moment, described
from benchmarks.traffic.params import DAY, START, Params
from benchmarks.traffic.people import HOUR, People, Person
from benchmarks.traffic.world import Net

MINUTE = 60_000


@dataclass(slots=True)
class _Place:
    net: Net
    ip: str
    until: int


class Life:
    def __init__(self, params: Params, people: People) -> None:
        self.params, self.people = params, people
        self.rng = random.Random(f"life-{params.seed}")
        self.sessions: list[Lived] = []
        self.moments: list[Moment] = []

    def live(self) -> None:
        for person in self.people.all:
            for index, device in enumerate(person.devices):
                self._use(person, device, index)

    def _use(self, person: Person, device: Device, index: int) -> None:
        params, rng = self.params, self.rng
        session: Lived | None = None
        expires, place, cookie_until = 0, None, 0
        rest = person.rests.get(index, (0, 0))
        for begins in self._bursts(person):
            if rest[0] <= begins < rest[1]:
                continue
            if params.dev == "id" and begins > cookie_until:
                device.dev = named(rng, "id", device.os, phone=device.phone)
                cookie_until = begins + int(rng.expovariate(1 / params.cookie_days) * DAY)
            for ts in self._refreshes(begins, session.times[-1] if session else 0):
                if place is None or ts > place.until:
                    place = self._moved(person, device, ts, place)
                told = described(place.net, place.ip) | self._device(device, ts)
                if session is None or ts > expires:
                    session = Lived(person.name, f"{person.name}-{index}-{ts - START}", person.kind)
                    self.sessions.append(session)
                    expires = ts + int(rng.lognormvariate(0, 0.5) * params.session_days * DAY)
                    self._sign_in(session, ts, told)
                else:
                    self._refresh(session, ts, told, person, device)
                session.times.append(ts)
                session.last = told

    def _moved(self, person: Person, device: Device, ts: int, before: _Place | None) -> _Place:
        net, until = self.people.where(person, device, ts)
        same = before is not None and before.net is net and self.rng.random() < 0.9
        return _Place(net, before.ip if before and same else net.address(self.rng), until)

    def _bursts(self, person: Person) -> Iterator[int]:
        rng = self.rng
        for day in range(self.params.days):
            count = min(8, int(rng.expovariate(1 / self.params.bursts_per_day) + 0.5))
            hours = sorted(min(23.9, max(0.1, rng.gauss(15, 4.5))) for _ in range(count))
            last = 0
            for hour in hours:
                at = START + day * DAY + int((hour - person.city.lon / 15) * HOUR)
                if at > last + 2 * HOUR:
                    last = at
                    yield max(START, at)

    def _refreshes(self, begins: int, before: int) -> Iterator[int]:
        rng, params = self.rng, self.params
        ttl = params.ttl_minutes * MINUTE
        ends = begins + rng.expovariate(1 / params.burst_minutes) * MINUTE
        at = max(float(begins), before + ttl * rng.uniform(0.98, 1.1))  # the access token is good until then
        while at <= max(begins, ends):
            yield int(at)
            if rng.random() < params.early:
                at += rng.uniform(0.02, 1) * ttl
            else:
                at += ttl * (1 + abs(rng.gauss(0, params.jitter)))

    def _device(self, device: Device, ts: int) -> Fields:
        told = device.seen(ts)
        return {} if self.rng.random() < self.params.missing_ua else told

    def _sign_in(self, session: Lived, ts: int, told: Fields) -> None:
        rng = self.rng
        if rng.random() < self.params.typo:
            for nth in range(rng.choice([1, 1, 2, 3])):
                self._add(ts - (nth + 1) * rng.randint(4000, 20000), "LoginFailed", session, told, sid="")
        told = dict(told)
        if self.params.dev == "id" and "dev" in told and rng.random() < 0.02:  # a private window
            told["dev"] = f"{rng.getrandbits(64):016x}"
        self._add(ts, "TokenIssued", session, told)

    def _refresh(self, session: Lived, ts: int, told: Fields, person: Person, device: Device) -> None:
        rng, params = self.rng, self.params
        self._add(ts, "TokenRefreshed", session, told)
        if rng.random() >= params.race:
            return
        gap = rng.expovariate(1 / params.race_seconds) if rng.random() < 0.9 else rng.uniform(1, 25)
        again = told
        if rng.random() < 0.08:  # the answer was lost because the network changed
            net, _ = self.people.where(person, device, ts)
            again = told | described(net, net.address(rng))
        self._add(ts + 50 + int(min(gap, 28) * 1000), "TokenReuse", session, again)

    def _add(self, ts: int, type_: str, session: Lived, told: Fields, sid: str | None = None) -> None:
        told = dict(told)
        if self.rng.random() < self.params.missing_asn:
            told.pop("asn", None)
        self.moments.append(Moment(ts, type_, session.sub, session.sid if sid is None else sid, told, session.person))

"""Honest people: where they are at an hour, and by which network they are seen there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.traffic.devices import Device, make
from benchmarks.traffic.params import DAY, START, Params
from benchmarks.traffic.world import COUNTRIES, City, Net, Provider, World

HOUR = DAY // 24


@dataclass(slots=True)
class Trip:
    begins: int
    ends: int
    city: City
    hotel: Net


@dataclass(slots=True)
class Person:
    """`home_since`: when the home got its address. Favourites are the exits that a VPN client keeps choosing."""

    name: str
    kind: str
    city: City
    isp: Provider
    carrier: Provider
    work: Net | None
    egress: Net | None
    devices: list[Device]
    trips: list[Trip]
    vpn: Provider
    vpn_share: float
    favourites: Sequence[Net]
    home_index: int
    v6: bool
    haunts: list[Net]
    replaced_at: int = 0  # when the new device comes
    rests: dict[int, tuple[int, int]] = field(default_factory=dict)  # device -> the weeks in which it is not used


class People:
    def __init__(self, params: Params, world: World) -> None:
        self.params, self.world = params, world
        self.rng = random.Random(f"people-{params.seed}")
        self.offices: dict[str, list[Net]] = {}
        kinds = self.rng.choices(list(params.mix), list(params.mix.values()), k=params.users)
        self.all = [self._person(f"u{number}", kind) for number, kind in enumerate(kinds)]

    def _person(self, name: str, kind: str) -> Person:
        rng, world, params = self.rng, self.world, self.params
        codes = [each[0] for each in COUNTRIES]
        first = codes[params.seed % 7]
        cc = first if rng.random() < params.home_country else rng.choice(codes)
        city = world.city(cc)
        mode = params.dev
        owned = [make(rng, mode, phone=True)]
        if rng.random() < 0.75:
            owned.append(make(rng, mode, phone=False))
        if rng.random() < 0.2:
            owned.append(make(rng, mode, phone=False, like=owned[-1]))
        office = self._office(city) if kind == "corporate" or rng.random() < 0.3 else None
        vpn = rng.choice(world.vpn)
        person = Person(
            name=name,
            kind=kind,
            city=city,
            isp=world.isp(cc),
            carrier=rng.choice(world.mob[cc]),
            work=office,
            egress=self._egress(world.city(cc)) if kind == "corporate" and rng.random() < 0.5 else None,
            devices=owned,
            trips=self._trips(kind, city),
            vpn=vpn,
            vpn_share=rng.uniform(0.3, 1.0) if kind == "vpn" else 0.0,
            favourites=[world.net(vpn, self._exit_city(cc), rng.randrange(8)) for _ in range(rng.randint(1, 4))],
            home_index=rng.randrange(400),
            v6=kind == "ipv6",
            haunts=[world.net(world.isp(cc), city, rng.randrange(400)) for _ in range(int(rng.expovariate(1 / params.haunts)))],
        )
        for index in range(len(owned)):
            if rng.random() < params.dormancy:
                begins = START + int(rng.uniform(5, params.days) * DAY)
                person.rests[index] = (begins, begins + int(rng.uniform(14, 50) * DAY))
        if kind == "new_device":
            person.replaced_at = START + int(rng.uniform(3, params.days) * DAY)
            old = rng.randrange(len(owned))
            owned.append(make(rng, mode, phone=owned[old].phone, like=owned[old]))
            person.rests[old] = (person.replaced_at, START + 10_000 * DAY)
            person.rests[len(owned) - 1] = (0, person.replaced_at)
        return person

    def _office(self, city: City) -> Net:
        key = f"{city.lat}{city.lon}"
        if key not in self.offices:
            providers = [self.rng.choice(self.world.ent), self.rng.choice(self.world.ent)]
            self.offices[key] = [self.world.net(each, city, 0) for each in providers]
        return self.rng.choice(self.offices[key])

    def _egress(self, city: City) -> Net:
        cloud = self.rng.random() < self.params.cloud
        return self.world.net(self.world.host[city.cc][0], city, 0) if cloud else self._office(city)

    def _exit_city(self, cc: str) -> City:
        return self.world.city(cc if self.rng.random() < 0.75 else self.world.country())

    def _trips(self, kind: str, home: City) -> list[Trip]:
        rng, world, params = self.rng, self.world, self.params
        rate = params.trips_per_100_days / 100 if kind != "traveller" else rng.uniform(1 / 25, 1 / 8)
        trips, at = [], float(rng.expovariate(rate))
        while at < params.days:
            length = rng.uniform(1, 10)
            abroad = rng.random() < (0.55 if kind == "traveller" else 0.3)
            cc = rng.choice([each[0] for each in COUNTRIES]) if abroad else home.cc
            city = rng.choice(world.cities[cc])
            hotel = world.net(world.isp(cc), city, rng.randrange(400))
            trips.append(Trip(START + int(at * DAY), START + int((at + length) * DAY), city, hotel))
            at += length + float(rng.expovariate(rate))
        return trips

    def where(self, person: Person, device: Device, ts: int) -> tuple[Net, int]:
        """The network at this moment, and until when the device stays on it."""
        rng = self.rng
        stay = ts + int(rng.lognormvariate(0.6, 0.7) * HOUR)
        away = self._hidden(person) or self._on_a_trip(person, device, ts)
        if away:
            return away, stay
        if person.kind == "relay" and "Safari" in device.br and rng.random() < 0.9:
            return self.world.net(rng.choice(self.world.relay), person.city, rng.randrange(20)), ts + HOUR
        return self._at_work(person, device, ts) or self._around_home(person, device, ts), stay

    def _hidden(self, person: Person) -> Net | None:
        rng, world = self.rng, self.world
        if person.vpn_share and rng.random() < person.vpn_share:
            if rng.random() < 0.85:
                return rng.choice(person.favourites)
            return world.net(person.vpn, self._exit_city(person.city.cc), rng.randrange(8))
        if rng.random() < self.params.vpn_try:
            return world.net(rng.choice(world.vpn), self._exit_city(person.city.cc), rng.randrange(8))
        return None

    def _on_a_trip(self, person: Person, device: Device, ts: int) -> Net | None:
        return next((self._abroad(person, device, trip) for trip in person.trips if trip.begins <= ts < trip.ends), None)

    def _at_work(self, person: Person, device: Device, ts: int) -> Net | None:
        office_hours = 8 <= _hour(person, ts) < 17 and (ts // DAY) % 7 < 5
        if person.work and office_hours and self.rng.random() < (0.5 if device.phone else 0.8):
            return person.work
        if person.egress and not device.phone and self.rng.random() < 0.3:
            return person.egress
        return None

    def _around_home(self, person: Person, device: Device, ts: int) -> Net:
        rng, world = self.rng, self.world
        if rng.random() < self.params.cafe:
            return world.net(world.isp(person.city.cc), person.city, rng.randrange(400))
        if person.haunts and rng.random() < 0.04:
            return rng.choice(person.haunts)
        if device.phone and rng.random() < (0.6 if 7 <= _hour(person, ts) < 19 else 0.15):
            return self._mobile(person)
        return self._home(person, ts)

    def _abroad(self, person: Person, device: Device, trip: Trip) -> Net:
        rng, world = self.rng, self.world
        draw = rng.random()
        if device.phone and draw < 0.4:  # roaming leaves at home or abroad
            return (
                self._mobile(person) if rng.random() < 0.6 else world.net(world.mob[trip.city.cc][0], trip.city, rng.randrange(6))
            )
        return trip.hotel if draw < 0.85 else world.net(world.isp(trip.city.cc), trip.city, rng.randrange(400))

    def _mobile(self, person: Person) -> Net:
        return self.world.net(person.carrier, self.world.cities[person.city.cc][0], self.rng.randrange(24), v6=person.v6)

    def _home(self, person: Person, ts: int) -> Net:
        if person.kind == "cgnat":
            return self.world.net(person.isp, person.city, self.rng.randrange(40))
        every = 1 if person.v6 and self.params.renumber_days < 30 else self.params.renumber_days
        epoch = int((ts - START + hash_of(person.name) * every * DAY) // (every * DAY))
        index = person.home_index + (epoch * 7919) % 400 if every < 1000 else person.home_index
        return self.world.net(person.isp, person.city, index % 400, v6=person.v6)


def _hour(person: Person, ts: int) -> int:
    return (ts // HOUR + round(person.city.lon / 15)) % 24


def hash_of(name: str) -> float:
    """A fraction that is this name's own."""
    return random.Random(name).random()

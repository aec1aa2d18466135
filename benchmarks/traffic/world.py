"""Networks and places: countries, cities, providers of every class. Addresses are invented, the shape is the published one."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.traffic.params import Params

# code, latitude, longitude, radius of its cities in km, weight among attackers
COUNTRIES = (
    ("DE", 51.0, 10.0, 330, 6),
    ("US", 39.0, -95.0, 1900, 14),
    ("GB", 53.0, -1.5, 300, 5),
    ("FR", 47.0, 2.5, 400, 5),
    ("NO", 61.0, 9.0, 350, 1),
    ("PL", 52.0, 19.0, 280, 3),
    ("ES", 40.0, -4.0, 400, 3),
    ("IN", 22.0, 79.0, 1000, 9),
    ("BR", -15.0, -50.0, 1300, 8),
    ("RU", 55.0, 45.0, 1200, 8),
    ("CN", 33.0, 110.0, 1100, 9),
    ("NG", 9.0, 8.0, 400, 4),
    ("VN", 16.0, 107.0, 500, 4),
    ("NL", 52.3, 5.3, 90, 4),
)
OCTETS = [*range(11, 100), *range(101, 127), *range(128, 169), *range(173, 192), *range(199, 203), *range(204, 224)]


@dataclass(frozen=True, slots=True)
class Net:
    """A /24 or a /64 as an enriching edge would describe it."""

    prefix: str
    asn: int
    cc: str
    cls: str
    lat: float
    lon: float
    acc: float
    geo: bool

    def address(self, rng: random.Random) -> str:
        """An address inside."""
        if ":" in self.prefix:
            return self.prefix + ":".join(f"{rng.randrange(1, 65536):x}" for _ in range(4))
        return f"{self.prefix}{rng.randrange(1, 255)}"


@dataclass(frozen=True, slots=True)
class City:
    cc: str
    lat: float
    lon: float


@dataclass(slots=True)
class Provider:
    """One AS. `blocks`: the leading half of its addresses."""

    asn: int
    cls: str
    cc: str
    blocks: Sequence[str]
    nets: dict[tuple[str, int], Net] = field(default_factory=dict)


class World:
    def __init__(self, params: Params) -> None:
        self.params = params
        self.rng = random.Random(f"world-{params.seed}")
        rng = self.rng
        self.next_asn = 1000
        self.cities = {cc: self._cities(cc, lat, lon, radius) for cc, lat, lon, radius, _ in COUNTRIES}
        self.res = {cc: self._providers("res", cc, rng.randint(4, 8)) for cc in self.cities}
        self.mob = {cc: self._providers("mob", cc, 3) for cc in self.cities}
        self.host = {cc: self._providers("host", cc, rng.randint(3, 6)) for cc in self.cities}
        self.ent = [self._provider("ent", "", 2) for _ in range(12)]
        self.vpn = [self._provider("vpn", "", 6) for _ in range(rng.randint(5, 9))]
        self.relay = [self._provider("relay", "", 4) for _ in range(3)]
        self.tor = [self._provider("tor", "", 2) for _ in range(6)]
        self.attacker_weights = [weight for *_, weight in COUNTRIES]

    def country(self) -> str:
        """A country as attackers are spread."""
        return self.rng.choices([each[0] for each in COUNTRIES], self.attacker_weights)[0]

    def city(self, cc: str) -> City:
        cities = self.cities[cc]
        return self.rng.choices(cities, [1 / (1 + rank) for rank in range(len(cities))])[0]

    def isp(self, cc: str) -> Provider:
        return self.rng.choices(self.res[cc], [1 / (1 + rank) for rank in range(len(self.res[cc]))])[0]

    def net(self, provider: Provider, city: City, index: int, *, v6: bool = False) -> Net:
        """The provider's network of this number in this city: always the same one."""
        key = (f"{city.lat:.3f}{city.lon:.3f}{'v6' if v6 else ''}", index)
        if key not in provider.nets:
            provider.nets[key] = self._make(provider, city, v6=v6)
        return provider.nets[key]

    def _make(self, provider: Provider, city: City, *, v6: bool) -> Net:
        rng, params = self.rng, self.params
        block = rng.choice(provider.blocks)
        low = rng.randrange(256)
        prefix = f"2a{provider.asn % 256:02x}:{provider.asn:x}:{low:x}:{rng.randrange(65536):x}:" if v6 else f"{block}{low}."
        error = rng.lognormvariate(2.3, 0.8)
        acc = max(50.0, error * rng.uniform(0.8, 2.5))
        if provider.cls == "mob":
            error, acc = rng.uniform(20, 250), rng.choice([200.0, 300.0, 500.0])
        if rng.random() < params.bad_geo:
            error = rng.uniform(150, 800)
            acc = 500.0 if rng.random() < 0.7 else acc
        lat, lon = moved(city.lat, city.lon, error, rng.uniform(0, 2 * math.pi))
        geo = rng.random() >= params.missing_geo
        return Net(prefix, provider.asn, city.cc, provider.cls, lat, lon, round(acc), geo)

    def _cities(self, cc: str, lat: float, lon: float, radius: float) -> list[City]:
        rng = self.rng
        spots = [
            moved(lat, lon, radius * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)) for _ in range(rng.randint(8, 16))
        ]
        return [City(cc, *spot) for spot in spots]

    def _providers(self, cls: str, cc: str, count: int) -> list[Provider]:
        return [self._provider(cls, cc, 4) for _ in range(count)]

    def _provider(self, cls: str, cc: str, blocks: int) -> Provider:
        self.next_asn += self.rng.randint(1, 90)
        pieces = [f"{self.rng.choice(OCTETS)}.{self.rng.randrange(256)}." for _ in range(blocks)]
        return Provider(self.next_asn, cls, cc, pieces)


def moved(lat: float, lon: float, km: float, angle: float) -> tuple[float, float]:
    """A point so far away; good enough for cities."""
    shrink = max(0.2, math.cos(math.radians(lat)))
    north, east = km * math.cos(angle) / 111, km * math.sin(angle) / 111 / shrink
    return max(-85.0, min(85.0, lat + north)), (lon + east + 180) % 360 - 180

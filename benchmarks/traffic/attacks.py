"""Takeovers and stolen tokens, from the naive to those that know the victim's city, provider and browser."""

from __future__ import annotations

import bisect
import random
from collections.abc import Callable, Mapping

from benchmarks.traffic.devices import popular, spoken
from benchmarks.traffic.living import MINUTE, Life
from benchmarks.traffic.moments import Fields, Incident, Lived, Moment, described
from benchmarks.traffic.params import ATTACKS, DAY, START, Params
from benchmarks.traffic.people import HOUR, People, Person
from benchmarks.traffic.world import Net, World

CLONED = ("ua", "br", "ver", "os")


class Attackers:
    def __init__(self, params: Params, world: World, people: People, life: Life) -> None:
        self.params, self.world, self.life = params, world, life
        self.rng = random.Random(f"attacks-{params.seed}")
        self.people = {each.name: each for each in people.all}
        self.used: dict[str, list[Lived]] = {}
        for session in life.sessions:
            self.used.setdefault(session.sub, []).append(session)
        self.incidents: dict[int, Incident] = {}
        self.moments: list[Moment] = []
        self.taken: set[str] = set()

    def strike(self) -> None:
        kinds: Mapping[str, Callable[[str], None]] = {"stuffing": self._wave, "spray": self._wave}
        for attack in ATTACKS:
            if attack in kinds:
                for _ in range(max(2, self.params.incidents // 10)):
                    kinds[attack](attack)
                continue
            for _ in range(self.params.incidents):
                self._replay(attack) if attack.startswith("replay") else self._takeover(attack)

    def _begin(self, attack: str, victim: str, steals: str = "") -> Incident:
        passes = self.params.aitm_passes if attack == "aitm" else self.params.thief_passes
        incident = Incident(len(self.incidents) + 1, attack, victim, passes, steals)
        self.incidents[incident.number] = incident
        return incident

    def _when(self) -> int:
        return START + int(self.rng.uniform(self.params.warmup_days, self.params.days - 1) * DAY)

    def _victim(self, ts: int) -> tuple[Person, Lived] | None:
        """Somebody who has been there for a while, and a session that they used lately."""
        name = self.rng.choice(list(self.used))
        before = [each for each in self.used[name] if each.times[0] < ts]
        if not before or ts - before[0].times[0] < 4 * DAY:
            return None
        return self.people[name], max(before, key=lambda each: max(at for at in each.times if at < ts))

    def _takeover(self, attack: str) -> None:
        rng = self.rng
        found = None
        while found is None:
            ts = self._when()
            found = self._victim(ts)
        person, latest = found
        net = self._net(attack, person)
        told = self._device(attack, latest.last, ts)
        incident = self._begin(attack, person.name)
        sid = f"x{incident.number}-{rng.getrandbits(24):06x}"
        if attack != "aitm" and rng.random() < 0.3:
            self._add(incident, ts - rng.randint(5000, 60000), "LoginFailed", "", net, told)
        self._add(incident, ts, "TokenIssued", sid, net, told)
        later = self._net(attack, person) if rng.random() < (0.5 if attack == "aitm" else 0.15) else net
        if attack == "aitm" and rng.random() < 0.35:
            told = self._device("naive", latest.last, ts)
        for nth in range(rng.randint(1, 6)):
            at = ts + int((nth + 1) * self.params.ttl_minutes * MINUTE * rng.uniform(1, 1.2))
            self._add(incident, at, "TokenRefreshed", sid, later, told)

    def _replay(self, attack: str) -> None:
        rng = self.rng
        for _ in range(400):
            ts = self._when()
            session = self._dormant(ts) if attack == "replay_dormant" else self._in_use(ts)
            if session is not None:
                break
        else:
            return
        self.taken.add(session.sid)
        person = self.people[session.sub]
        like = rng.choices(["foreign", "vpn", "same_city"], [35, 45, 20])[0] if attack == "replay_dormant" else attack[7:]
        net = self._net({"foreign": "naive", "vpn": "vpn", "same_city": "same_city"}[like], person)
        while like == "foreign" and net.cc == person.city.cc:
            net = self._net("naive", person)
        told = self._stolen(session, ts)
        incident = self._begin(attack, person.name, session.sid)
        for nth in range(rng.randint(2, 8)):
            at = ts + int(nth * self.params.ttl_minutes * MINUTE * rng.uniform(1, 1.3))
            self._add(incident, at, "TokenRefreshed", session.sid, net, told)

    def _in_use(self, ts: int) -> Lived | None:
        session = self.rng.choice(self.life.sessions)
        place = bisect.bisect(session.times, ts)
        free = session.sid not in self.taken and len(session.times) > 1
        if not free or not 0 < place < len(session.times) or ts - session.times[place - 1] > 3 * DAY:
            return None
        return session if session.times[place] - ts > 20_000 else None

    def _dormant(self, ts: int) -> Lived | None:
        session = self.rng.choice(self.life.sessions)
        idle = ts - session.times[-1]
        return session if session.sid not in self.taken and 14 * DAY < idle < 45 * DAY else None

    def _stolen(self, session: Lived, ts: int) -> Fields:
        """What the thief of a token says of itself: mostly what the owner said, device id and all."""
        if self.rng.random() < 0.12:
            return self._device("naive", session.last, ts)
        told = {key: value for key, value in session.last.items() if key in (*CLONED, "dev")}
        if self.params.dev == "id" and self.rng.random() > self.params.thief_keeps_dev:
            told.pop("dev", None)
        return told

    def _net(self, attack: str, person: Person) -> Net:
        rng, world = self.rng, self.world
        cc = person.city.cc
        if attack == "same_isp":
            return world.net(person.isp, person.city, 400 + rng.randrange(200), v6=person.v6)
        if attack == "same_city":
            return world.net(rng.choice(world.res[cc]), person.city, 400 + rng.randrange(200))
        proxies = self.params.res_proxies
        if attack == "naive":
            cc = world.country()
            cls = rng.choices(["res", "host", "vpn", "tor", "mob"], [0.1 + proxies, 0.27, 0.2, 0.07, 0.03])[0]
        else:  # vpn, aitm
            cls = rng.choices(["res", "host", "vpn"], [proxies / 2, 0.35, 0.45])[0]
            cc = world.country() if attack == "aitm" and rng.random() < 0.3 else cc
        pool = {"res": world.res[cc], "host": world.host[cc], "vpn": world.vpn, "tor": world.tor, "mob": world.mob[cc]}[cls]
        return world.net(rng.choice(pool), world.city(cc), 400 + rng.randrange(60))

    def _device(self, attack: str, owner: Fields, ts: int) -> Fields:
        rng = self.rng
        mode = self.params.dev
        os, br, ver = popular(rng, ts)
        if attack in {"same_isp", "aitm"} and "br" in owner:
            os, br, ver = str(owner["os"]), str(owner["br"]), int(str(owner["ver"]))
        elif attack == "same_city" and "br" in owner:
            os, br = str(owner["os"]), str(owner["br"])
            ver = int(str(owner["ver"])) + rng.choice([-6, -3, -2, -1, -1, 0, 0, 0, 1, 1, 2])
        dev = ""
        if mode == "id":
            dev = f"{rng.getrandbits(64):016x}" if rng.random() < 0.7 else ""
        elif mode == "type":
            dev = "mobile" if os in {"iOS", "Android"} else "desktop"
        elif mode == "model":
            dev = str(owner.get("dev", "")) if attack in {"same_isp", "aitm", "same_city"} else "PC"
        return spoken(os, br, ver, dev)

    def _wave(self, attack: str) -> None:
        """Stuffing: many accounts, one or two tries each. Spray: fewer accounts, a few tries each, from many sources."""
        rng = self.rng
        begins = self._when()
        spray = attack == "spray"
        sources = [self._net("naive", rng.choice(list(self.people.values()))) for _ in range(rng.choice([1, 3, 12]) + 8 * spray)]
        told = self._device("naive", {}, begins)
        if rng.random() < self.params.script:
            told = spoken("Other", "Python Requests", 2, "") | {"ua": "python-requests/2.32.3"}
        names = rng.sample(list(self.people), min(len(self.people), rng.randint(40, 120)))
        hits = set(rng.sample(names[len(names) // 4 :], rng.randint(3, 8)))
        length = rng.uniform(5, 50) * MINUTE if not spray else rng.uniform(0.3, 3) * HOUR
        for nth, name in enumerate(names):
            ts = begins + int(nth / len(names) * length)
            net = rng.choice(sources)
            known = name in self.used and self.used[name][0].times[0] < ts - 5 * DAY
            incident = self._begin(attack, name) if name in hits and known else None
            for again in range(rng.randint(2, 5) if spray else rng.choice([1, 1, 2])):
                self._fail(ts + again * rng.randint(1000, 20000), name, net, told)
            for other in range(rng.randint(0, 3)):  # names that are nobody's here
                self._fail(ts + 500 * other, f"n{rng.randrange(10**6)}", net, told)
            if incident:
                self._hit(incident, ts + 60_000, net, told)

    def _hit(self, incident: Incident, ts: int, net: Net, told: Fields) -> None:
        sid = f"x{incident.number}-{self.rng.getrandbits(24):06x}"
        self._add(incident, ts, "TokenIssued", sid, net, told)
        self._add(incident, ts + int(self.params.ttl_minutes * MINUTE), "TokenRefreshed", sid, net, told)

    def _fail(self, ts: int, name: str, net: Net, told: Fields) -> None:
        self.moments.append(Moment(ts, "LoginFailed", name, "", described(net, net.address(self.rng)) | told, "", -1))

    def _add(self, incident: Incident, ts: int, type_: str, sid: str, net: Net, told: Fields) -> None:
        fields = described(net, net.address(self.rng)) | told
        self.moments.append(Moment(ts, type_, incident.victim, sid, fields, "", incident.number))

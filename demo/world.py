"""What the chapters share: people, places, and the questions that are asked again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from demo.people import HOME, Admin, Device, Place, expect
from demo.screen import Screen
from demo.stage import Stage
from demo.watching import PATIENCE_S, Answer, Resources

SCOPES = ["orders:read", "photos:read"]
PASSWORD = "correct horse battery staple"  # noqa: S105  (an account of the story)

_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
_AGENTS = {
    "phone": f"Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) {_WEBKIT} Mobile/15E148 Safari/604.1",
    "laptop": "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "tablet": f"Mozilla/5.0 (Linux; Android 16; Tab) {_CHROME} Safari/537.36",
    "new laptop": f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Safari/605.1.15",
    "thief": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36",
}


@dataclass
class World:
    """The stage with everybody on it. `told` collects how fast the dead were refused, for the last line."""

    stage: Stage
    screen: Screen
    http: httpx.Client
    admin: Admin
    apis: Resources
    username: str
    sub: str = ""
    devices: dict[str, Device] = field(default_factory=dict)
    refusals: list[float] = field(default_factory=list)

    def device(self, name: str, place: Place = HOME) -> Device:
        """A new device with an id of its own."""
        own_id = f"{self.username}-{name}-device".replace(" ", "-")
        return Device(self.http, self.stage.rescind, name, _AGENTS[name], place, own_id)

    def sign_in(self, name: str, place: Place = HOME) -> Device:
        """The person signs in with that device; it joins `devices`."""
        device = self.device(name, place)
        device.sign_in(self.username, PASSWORD)
        self.devices[name] = device
        return device

    def expect_alive(self, *devices: Device) -> None:
        """Every API accepts every one of these devices."""
        for device in devices:
            for name, answer in self.apis.call_all(device.access).items():
                expect(answer.accepted, f"{name} refuses the {device.name}: {answer.status} {answer.why}")
        if devices:
            names = ", ".join(device.name for device in devices)
            self.screen.step(f"still welcome at {' and '.join(self.apis.names)}: {names}")

    def show_refusals(self, answers: Mapping[str, Answer], who: str, why: str) -> None:
        """Each API's refusal, and after how many milliseconds."""
        for name, answer in answers.items():
            expect(why in answer.why, f"{name} refuses with {answer.status} {answer.why} instead of {why}")
            self.refusals.append(answer.ms)
            self.screen.step(f"{name} refuses {who}: {answer.status} {answer.why}", answer.ms)

    def eventually(self, ask: Callable[[], Any], sentence: str) -> Any:
        """The first true answer; NotHeld with the sentence when there is none in time."""
        deadline = time.perf_counter() + PATIENCE_S
        while not (answer := ask()):
            expect(time.perf_counter() < deadline, sentence)
            time.sleep(0.01)
        return answer

    def revocation_of(self, **query: str) -> str:
        """The id of the last revocation that the session log tells of."""
        events = self.admin.get("/v1/log", limit=1000, **query)["events"]
        expect(events, f"the log tells of no revocation with {query}")
        return str(events[-1]["data"]["revocation_id"])


def refused(answer: Answer) -> bool:
    """The token is not accepted any more."""
    return answer.status in (401, 403)


def accepted(answer: Answer) -> bool:
    """The token is accepted."""
    return answer.accepted

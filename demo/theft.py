"""The chapters about copied tokens, and about taking a false alarm back."""

from __future__ import annotations

from typing import Any

import httpx

from demo.people import CAFE, HOTEL, Device, expect, timed
from demo.receipts import show_receipt
from demo.world import World, accepted, refused


def steal(world: World) -> None:
    """A refresh token is stolen in a café."""
    phone = world.devices.pop("phone")
    phone.place = CAFE
    answer, ms = timed(phone.refresh)
    expect(answer.status_code == 200, f"the refresh in the café answers {answer.status_code}")
    world.screen.step("Maya's phone refreshes in the café", ms)
    thief = world.device("thief", CAFE)
    thief.refresh_token = phone.refresh_token
    answer, ms = timed(thief.refresh)
    expect(answer.status_code == 200, f"the thief's refresh answers {answer.status_code}")
    world.screen.step("a thief in the same network uses the copy first, on a device of their own", ms)
    expect(all(each.accepted for each in world.apis.call_all(thief.access).values()), "the story needs a thief who gets in")
    world.screen.step("both APIs let the thief in: nobody can tell yet")
    (answer, ms), answers = world.apis.watch([thief.access, phone.access], lambda: timed(phone.refresh), until=refused)
    expect(answer.status_code == 401, f"the owner's refresh answers {answer.status_code}")
    expect(answer.json().get("why") == "refresh_reuse", "the owner is not told why")
    world.screen.step("Maya's phone comes with the token that was used already: that is a theft", ms)
    world.show_refusals(answers, "thief and owner", "session_revoked")
    expect(thief.refresh().status_code == 401, "the thief can still refresh")
    world.screen.step("the thief cannot refresh either: the whole family has ended")
    world.expect_alive(*world.devices.values())
    finding = _finding(world, phone.sid, "refresh_token_reused")
    show_receipt(world, finding["revocation_id"])


def false_alarm(world: World) -> None:
    """An anomaly ends a session, and support takes it back."""
    laptop = world.devices["laptop"]
    moved = world.device("new laptop", HOTEL)
    moved.refresh_token = laptop.refresh_token
    world.screen.say("Maya has moved her browser profile to a new laptop, in a hotel abroad.")
    (answer, ms), answers = world.apis.watch([laptop.access], lambda: timed(moved.refresh), until=refused)
    expect(answer.status_code == 200, f"the refresh answers {answer.status_code}")
    world.screen.step("a refresh comes from another network and another device at once", ms)
    finding = _finding(world, laptop.sid, "network_and_device_changed")
    held = finding["action"] == "hold"
    world.show_refusals(answers, "the session", "step_up_required" if held else "session_revoked")
    answer = _refused_refresh(world, moved)
    expect(answer.json()["code"] == ("step_up_required" if held else "session_suspended"), "the client is told something else")
    world.screen.step(f"its next refresh is told to wait: 403 {answer.json()['code']}, nothing cleared")
    lift = f"/v1/revocations/{finding['revocation_id']}/lift"
    _, answers = world.apis.watch([moved.access], lambda: world.admin.post(lift), until=accepted)
    for name, each in answers.items():
        world.screen.step(f"support lifts it, and {name} accepts the same token again", each.ms)
    _refresh_again(world, moved)
    world.devices["laptop"] = moved


def _refused_refresh(world: World, device: Device) -> httpx.Response:
    """Verifiers hear of a revocation first, the issuer some milliseconds later; a token of that moment is dead all the same."""
    answers: list[httpx.Response] = []

    def ask() -> bool:
        answers.append(device.refresh())
        return answers[-1].status_code == httpx.codes.FORBIDDEN

    world.eventually(ask, "the session can still refresh")
    return answers[-1]


def _refresh_again(world: World, device: Device) -> None:
    world.eventually(lambda: device.refresh().is_success, "the session cannot refresh after the lift")
    world.screen.step("and it refreshes again: Maya never signed in anew")


def _finding(world: World, sid: str, rule: str) -> dict[str, Any]:
    """The finding about this session, once it names its revocation."""

    def ask() -> dict[str, Any] | None:
        found = world.admin.get("/v1/findings", sid=sid)["findings"]
        return next((each for each in found if each["rule"] == rule and each["revocation_id"]), None)

    finding: dict[str, Any] = world.eventually(ask, f"there is no finding {rule} with a revocation")
    world.screen.step(f"the anomaly service found: {rule}, action {finding['action']}")
    for line in _wrapped(finding["evidence"]):
        world.screen.say(line)
    return finding


def _wrapped(text: str, width: int = 92) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines

"""The first chapters: what happens every day."""

from __future__ import annotations

import time

from demo.people import HOME, expect, timed
from demo.receipts import show_receipt
from demo.watching import OpenStream
from demo.world import PASSWORD, SCOPES, World, refused


def sign_in_everywhere(world: World) -> None:
    """Maya signs in on three devices."""
    account = {"username": world.username, "password": PASSWORD, "scopes": SCOPES}
    world.sub, ms = timed(lambda: world.admin.post("/v1/subjects", account)["sub"])
    world.screen.step("an administrator made her account", ms)
    for name in ("phone", "laptop", "tablet"):
        _, ms = timed(lambda name=name: world.sign_in(name, HOME))  # type: ignore[misc]  # mypy knows no default of a lambda
        world.screen.step(f"the {name} signs in {HOME.name}", ms)
    listed, ms = timed(world.devices["phone"].sessions)
    expect({each["device_name"] for each in listed} == {"phone", "laptop", "tablet"}, "the device list shows other devices")
    expect([each["device_name"] for each in listed if each["current"]] == ["phone"], "the list does not know its own device")
    world.screen.step("her device list:", ms)
    for each in listed:
        here = "  <- this device" if each["current"] else ""
        world.screen.say(f"{each['device_name']:<8} {each['browser'] or '?'} on {each['os'] or '?'}, {each['ip']}{here}")


def call_the_apis(world: World) -> None:
    """Two APIs accept her tokens without asking anybody."""
    for device in world.devices.values():
        for name, answer in world.apis.call_all(device.access).items():
            expect(answer.accepted, f"{name} refuses the {device.name}: {answer.status} {answer.why}")
            world.screen.step(f"{name} answers the {device.name}", answer.ms)
    for name in world.apis.names:
        answer = world.apis.call(name, "rubbish")
        expect(refused(answer), f"{name} accepts rubbish")
    world.screen.step("a token that is none is refused by both")


def refresh_and_race(world: World) -> None:
    """A refresh, and two tabs that refresh in the same moment."""
    phone, laptop = world.devices["phone"], world.devices["laptop"]
    before, sid = phone.refresh_token, phone.sid
    answer, ms = timed(phone.refresh)
    expect(answer.status_code == 200, f"the refresh answers {answer.status_code}")
    expect(phone.refresh_token != before and phone.sid == sid, "the refresh token is the old one, or the session another one")
    world.screen.step("the phone exchanges its refresh token for a new one", ms)
    answers, ms = timed(lambda: laptop.refresh_at_once(tabs=2))
    expect(all(each.status_code == 200 for each in answers), "a tab was refused")
    expect(len({each.json()["refresh"] for each in answers}) == 1, "the tabs got different children")
    world.screen.step("two tabs of the laptop race with one token: both get the same child", ms)
    world.expect_alive(phone, laptop)


def log_out(world: World) -> None:
    """The tablet logs out."""
    tablet = world.devices.pop("tablet")
    stream = OpenStream(f"{world.stage.apis['photos']}/stream", tablet.access, world.stage.tls)
    world.screen.step("the tablet has an event stream open at photos")
    began = time.perf_counter()
    (answer, ms), answers = world.apis.watch([tablet.access], lambda: timed(tablet.log_out), until=refused)
    expect(answer.status_code == 204, f"the logout answers {answer.status_code}")
    world.screen.step("the logout is answered: durable", ms)
    world.show_refusals(answers, "its access token", "session_revoked")
    world.screen.step("photos closed the open stream", stream.closed_after(began))
    world.screen.say("(milliseconds since the click, measured at the APIs)")
    show_receipt(world, world.revocation_of(sid=tablet.sid, type="SessionRevoked"))
    world.expect_alive(*world.devices.values())


def change_scopes(world: World) -> None:
    """Her rights change, and the change is felt at once."""
    laptop = world.devices["laptop"]
    rights = f"/v1/subjects/{world.sub}"
    sid = laptop.sid
    _, answers = world.apis.watch([laptop.access], lambda: world.admin.patch(rights, {"scopes": ["photos:read"]}), until=refused)
    world.show_refusals(answers, "the token with the old scopes", "token_outdated")
    answer, ms = timed(laptop.refresh)
    expect(answer.status_code == 200 and laptop.sid == sid, "the session did not survive the change of scopes")
    world.screen.step("the session lives: its refresh brings the new scopes", ms)
    found = world.apis.call_all(laptop.access)
    expect(found["photos"].accepted, f"photos answers {found['photos'].status} {found['photos'].why}")
    expect("insufficient_scope" in found["orders"].why, f"orders answers {found['orders'].status} {found['orders'].why}")
    world.screen.step(f"photos accepts it, orders refuses it: {found['orders'].status} {found['orders'].why}")
    world.admin.patch(rights, {"scopes": SCOPES})
    expect(laptop.refresh().is_success, "the session cannot fetch the scopes that she got back")
    world.expect_alive(laptop)


def sign_out_everywhere(world: World) -> None:
    """Sign out everywhere."""
    devices = [world.sign_in("phone"), world.sign_in("tablet"), world.devices["laptop"]]
    world.screen.step("the phone and the tablet are signed in again")
    (ended, ms), answers = world.apis.watch(
        [each.access for each in devices], lambda: timed(devices[0].sign_out_everywhere), until=refused
    )
    expect(ended == len(devices), f"{ended} sessions ended instead of {len(devices)}")
    world.screen.step(f"{ended} sessions ended with one click", ms)
    world.show_refusals(answers, "all of them", "session_revoked")
    for device in devices:
        answer = device.refresh()
        expect(answer.status_code == 401, f"the {device.name} can still refresh")
        expect(answer.json().get("why") == "signed_out_elsewhere", f"the {device.name} is not told why")
    world.screen.step("none of them can refresh, and each is told why: signed_out_elsewhere")
    world.devices = {}
    world.expect_alive(world.sign_in("phone"))

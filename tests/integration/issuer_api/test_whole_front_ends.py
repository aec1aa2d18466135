"""Front ends against everything: real tokens, real rotation, real SQLite, real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import jwt
import pytest
from kit.browser import Browser
from kit.waiting import until
from kit.whole import Whole, whole

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def admin(service: Whole) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


@pytest.fixture(scope="module")
def http(service: Whole) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=30) as client:
        yield client


@pytest.fixture
def account(admin: httpx.Client) -> tuple[str, str]:
    """The `sub` and the user name of a fresh account."""
    username = f"person-{uuid4().hex}"
    made = admin.post("/v1/subjects", json={"username": username, "password": PASSWORD, "scopes": ["read"]})
    assert made.status_code == 201
    return made.json()["sub"], username


def sign_in(http: httpx.Client, username: str, **more: object) -> dict[str, str]:
    answer = http.post("/api/token/", json={"username": username, "password": PASSWORD, **more})
    assert answer.status_code == 200
    found: dict[str, str] = answer.json()
    return found


def refresh(http: httpx.Client, token: str) -> httpx.Response:
    return http.post("/api/token/refresh/", json={"refresh": token})


def bearer(access: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access}"}


def refused(answer: httpx.Response) -> tuple[object, ...]:
    body = answer.json()
    return answer.status_code, body["code"], body.get("reason"), body.get("why")


def test_a_lost_answer_brings_the_same_child_and_a_copy_ends_the_family(http: httpx.Client, account: tuple[str, str]) -> None:
    first = sign_in(http, account[1])["refresh"]
    child = refresh(http, first).json()["refresh"]
    assert refresh(http, first).json()["refresh"] == child, "the answer was lost"
    grandchild = refresh(http, child).json()["refresh"]
    assert refused(refresh(http, first))[:3] == (401, "token_not_valid", "session_revoked")
    ended = refresh(http, grandchild)
    assert refused(ended) == (401, "token_not_valid", "session_revoked", "refresh_reuse")
    assert ended.json()["at"].endswith("Z")


def test_twenty_refreshes_at_once_have_one_child(http: httpx.Client, account: tuple[str, str]) -> None:
    first = sign_in(http, account[1])["refresh"]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: refresh(http, first), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    children = {answer.json()["refresh"] for answer in answers}
    assert len(children) == 1
    assert refresh(http, children.pop()).status_code == 200


def test_tabs_over_one_cookie_jar_while_one_answer_is_slow(service: Whole, http: httpx.Client, account: tuple[str, str]) -> None:
    browser = Browser(http, service.url)
    signed_in = browser.post("/api/token/", {"username": account[1], "password": PASSWORD, "cookie": True})
    assert list(signed_in.json()) == ["access"]
    slow = browser.send("/api/token/refresh/")
    for _ in range(3):
        assert browser.post("/api/token/refresh/").status_code == 200
    browser.take(slow)
    for _ in range(3):
        assert browser.post("/api/token/refresh/").status_code == 200


def test_a_copied_cookie_on_another_device_ends_the_family(service: Whole, http: httpx.Client, account: tuple[str, str]) -> None:
    owner = Browser(http, service.url)
    owner.post("/api/token/", {"username": account[1], "password": PASSWORD, "cookie": True})
    thief = Browser(http, service.url)
    thief.jar = {name: value for name, value in owner.jar.items() if "refresh" in name}
    assert owner.post("/api/token/refresh/").status_code == 200
    assert refused(thief.post("/api/token/refresh/"))[2] == "session_revoked"
    assert refused(owner.post("/api/token/refresh/"))[2:] == ("session_revoked", "refresh_reuse")
    assert any("refresh" in name for name in owner.jar), "no answer took a cookie away"


def test_verify_and_logout(http: httpx.Client, account: tuple[str, str]) -> None:
    pair = sign_in(http, account[1])
    for token in pair.values():
        assert http.post("/api/token/verify/", json={"token": token}).status_code == 200
    for _ in range(2):
        assert http.post("/api/token/logout/", json={"refresh": pair["refresh"]}).status_code == 204
    assert http.post("/api/token/blacklist/", json={"refresh": pair["access"]}).json() == {}
    for token in pair.values():
        assert refused(http.post("/api/token/verify/", json={"token": token}))[2:] == ("session_revoked", "logout")
    assert refused(http.get("/api/sessions", headers=bearer(pair["access"])))[2] == "session_revoked"
    assert refused(http.post("/api/token/logout/", json={"refresh": "a.b.c"}))[:3] == (400, "token_not_valid", "invalid")


def revoke(admin: httpx.Client, kind: str, target: str, effect: str = "end") -> str:
    body = {"target": {"type": kind, "id": target}, "effect": effect, "reason": "admin"}
    made: str = admin.post("/v1/revocations", json=body).json()["id"]
    return made


def payload(access: str) -> dict[str, str]:
    found: dict[str, str] = jwt.decode(access, options={"verify_signature": False})
    return found


@pytest.mark.parametrize(
    ("effect", "expected"),
    [("end", (403, "session_suspended", None, "admin")), ("hold", (403, "step_up_required", None, None))],
)
def test_every_endpoint_tells_the_same_of_a_session_that_may_come_back(
    http: httpx.Client, admin: httpx.Client, account: tuple[str, str], effect: str, expected: tuple[object, ...]
) -> None:
    pair = sign_in(http, account[1])
    revocation = revoke(admin, "session", payload(pair["access"])["sid"], effect)
    mine = bearer(pair["access"])
    until(lambda: http.post("/api/token/verify/", json={"token": pair["access"]}).status_code == 403)
    answers = [
        refresh(http, pair["refresh"]),
        http.post("/api/token/verify/", json={"token": pair["access"]}),
        http.get("/api/sessions", headers=mine),
        http.delete("/api/sessions?scope=all", headers=mine),
        http.post("/api/password", json={"old_password": PASSWORD, "new_password": "another horse"}, headers=mine),
    ]
    assert {refused(answer) for answer in answers} == {expected}
    assert all(answer.json()["at"].endswith("Z") for answer in answers)
    assert admin.post(f"/v1/revocations/{revocation}/lift").status_code == 200
    until(lambda: http.get("/api/sessions", headers=mine).status_code == 200)


def test_the_list_of_sessions_tells_why_the_own_one_is_over(http: httpx.Client, account: tuple[str, str]) -> None:
    pair = sign_in(http, account[1])
    assert http.post("/api/token/logout/", json={"refresh": pair["refresh"]}).status_code == 204
    answer = http.get("/api/sessions", headers=bearer(pair["access"]))
    assert refused(answer) == (401, "token_not_valid", "session_revoked", "logout")
    assert answer.json()["at"].endswith("Z")


def test_a_token_whose_session_lives_is_refused_with_its_own_reason(
    http: httpx.Client, admin: httpx.Client, account: tuple[str, str]
) -> None:
    sub, username = account
    revoked, outdated = sign_in(http, username)["access"], sign_in(http, username)["access"]
    assert admin.patch(f"/v1/subjects/{sub}", json={"scopes": ["write"]}).status_code == 200
    revoke(admin, "token", payload(revoked)["jti"])

    def reasons() -> set[object]:
        verified = [http.post("/api/token/verify/", json={"token": token}) for token in (revoked, outdated)]
        listed = [http.get("/api/sessions", headers=bearer(token)) for token in (revoked, outdated)]
        assert {answer.status_code for answer in verified + listed} == {401}
        return set(zip([refused(each)[2] for each in verified], [refused(each)[2] for each in listed], strict=True))

    until(lambda: reasons() == {("token_revoked", "token_revoked"), ("token_outdated", "token_outdated")})


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "....", "e30.e30.c2ln", "ä.ö.ü", "x" * 8192])
def test_rubbish_is_no_token(http: httpx.Client, token: str) -> None:
    status = 401 if token else 400
    assert refresh(http, token).status_code == status
    assert http.post("/api/token/verify/", json={"token": token}).status_code == status
    assert http.post("/api/token/logout/", json={"refresh": token}).status_code == 400


def test_an_access_token_is_no_refresh_token_nor_the_other_way_round(http: httpx.Client, account: tuple[str, str]) -> None:
    pair = sign_in(http, account[1])
    assert refused(refresh(http, pair["access"]))[:3] == (401, "token_not_valid", "invalid")
    assert refused(http.get("/api/sessions", headers=bearer(pair["refresh"])))[:3] == (401, "token_not_valid", "invalid")


def test_wrong_password_unknown_name_and_disabled_account_look_alike(
    http: httpx.Client, admin: httpx.Client, account: tuple[str, str]
) -> None:
    sub, username = account
    wrong = http.post("/api/token/", json={"username": username, "password": "wrong horse"})
    unknown = http.post("/api/token/", json={"username": f"no-{username}", "password": PASSWORD})
    assert admin.post(f"/v1/subjects/{sub}/disable").status_code == 204
    disabled = http.post("/api/token/", json={"username": username, "password": PASSWORD})
    assert {(answer.status_code, answer.text) for answer in (wrong, unknown, disabled)} == {(401, wrong.text)}
    assert wrong.json()["code"] == "no_active_account"
    assert admin.post(f"/v1/subjects/{sub}/enable").status_code == 204
    sign_in(http, username)


def test_ones_own_sessions_and_nobody_elses(http: httpx.Client, admin: httpx.Client, account: tuple[str, str]) -> None:
    desk = sign_in(http, account[1], device_name="desk", remember_me=True)
    phone = sign_in(http, account[1], device_name="phone")
    mine = http.get("/api/sessions", headers=bearer(phone["access"])).json()["sessions"]
    assert [(each["device_name"], each["remember_me"], each["current"]) for each in mine] == [
        ("phone", False, True),
        ("desk", True, False),
    ]
    stranger = f"person-{uuid4().hex}"
    admin.post("/v1/subjects", json={"username": stranger, "password": PASSWORD})
    theirs = bearer(sign_in(http, stranger)["access"])
    desk_sid = mine[1]["sid"]
    assert http.delete(f"/api/sessions/{desk_sid}", headers=theirs).status_code == 404
    assert http.patch(f"/api/sessions/{desk_sid}", json={"device_name": "x"}, headers=theirs).status_code == 404
    renamed = http.patch(f"/api/sessions/{desk_sid}", json={"device_name": "old desk"}, headers=bearer(phone["access"]))
    assert renamed.json()["device_name"] == "old desk"
    assert http.delete(f"/api/sessions/{desk_sid}", headers=bearer(phone["access"])).status_code == 204
    assert refused(refresh(http, desk["refresh"]))[2:] == ("session_revoked", "signed_out_elsewhere")
    assert http.delete(f"/api/sessions/{desk_sid}", headers=bearer(phone["access"])).status_code == 404


def test_signing_out_elsewhere(http: httpx.Client, account: tuple[str, str]) -> None:
    others = [sign_in(http, account[1]) for _ in range(2)]
    here = sign_in(http, account[1])
    ended = http.delete("/api/sessions?scope=others", headers=bearer(here["access"]))
    assert ended.json() == {"ended": 2}
    assert {refused(refresh(http, each["refresh"]))[3] for each in others} == {"signed_out_elsewhere"}
    assert refresh(http, here["refresh"]).status_code == 200
    assert http.delete("/api/sessions?scope=all", headers=bearer(here["access"])).json() == {"ended": 1}
    assert http.get("/api/sessions", headers=bearer(here["access"])).status_code == 401


def test_a_new_password_ends_the_other_sessions(http: httpx.Client, account: tuple[str, str]) -> None:
    other, here = sign_in(http, account[1]), sign_in(http, account[1])
    wrong = {"old_password": "wrong horse", "new_password": "battery staple"}
    short = {"old_password": PASSWORD, "new_password": "short"}
    right = {"old_password": PASSWORD, "new_password": "battery staple"}
    assert refused(http.post("/api/password", json=wrong, headers=bearer(here["access"])))[:2] == (400, "wrong_password")
    too_short = http.post("/api/password", json=short, headers=bearer(here["access"]))
    assert (too_short.status_code, list(too_short.json()["fields"])) == (400, ["new_password"])
    assert http.post("/api/password", json=right, headers=bearer(here["access"])).status_code == 204
    assert refused(refresh(http, other["refresh"]))[2:] == ("session_revoked", "password_changed")
    assert refresh(http, here["refresh"]).status_code == 200
    assert http.post("/api/token/", json={"username": account[1], "password": PASSWORD}).status_code == 401


def test_changed_scopes_are_felt_at_once_and_the_session_lives(
    http: httpx.Client, admin: httpx.Client, account: tuple[str, str]
) -> None:
    sub, username = account
    pair = sign_in(http, username)
    changed = admin.patch(f"/v1/subjects/{sub}", json={"scopes": ["read", "write"]})
    assert changed.json()["scopes"] == ["read", "write"]
    assert refused(http.get("/api/sessions", headers=bearer(pair["access"])))[2] == "token_outdated"
    fresh = refresh(http, pair["refresh"]).json()
    assert http.get("/api/sessions", headers=bearer(fresh["access"])).status_code == 200


def test_a_session_bound_to_its_device(service: Whole, http: httpx.Client, account: tuple[str, str]) -> None:
    browser = Browser(http, service.url)
    body = {"username": account[1], "password": PASSWORD, "cookie": True, "bind": {"device": "strict"}}
    browser.post("/api/token/", body)
    assert browser.post("/api/token/refresh/").status_code == 200
    browser.jar = {name: value for name, value in browser.jar.items() if "refresh" in name}
    other = browser.post("/api/token/refresh/", headers={"Rescind-Device": "another-device"})
    assert refused(other)[2:] == ("session_revoked", "binding_mismatch")

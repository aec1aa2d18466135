"""Cookie mode: the refresh token is in cookies and in no body, and only pages that we trust may use it."""

from __future__ import annotations

import httpx
import pytest
from kit.browser import Browser
from kit.issuer_http import PARTNER, Issuer
from kit.pairs import NOW, pair, refresh_token

from eventlog.errors import StoreUnavailable
from services.issuer.api.cookies import DEVICE, REFRESH
from services.issuer.contexts import RequestContext
from services.issuer.errors import (
    InvalidToken,
    NoActiveAccount,
    SessionEnded,
    SessionSuspended,
    StepUpRequired,
)

SIGN_IN = {"username": "ada", "password": "right", "cookie": True}
WRITES = ["/api/token/refresh/", "/api/token/logout/", "/api/token/blacklist/"]


@pytest.fixture
def browser(http: httpx.Client, issuer: Issuer) -> Browser:
    return Browser(http, issuer.url)


def signed_in(browser: Browser) -> Browser:
    assert browser.post("/api/token/", SIGN_IN).status_code == 200
    return browser


def context(issuer: Issuer, call: int) -> RequestContext:
    found = issuer.script.calls[call][2]
    assert isinstance(found, RequestContext)
    return found


def test_the_refresh_token_stands_in_no_body(browser: Browser, issuer: Issuer) -> None:
    answer = browser.post("/api/token/", SIGN_IN)
    assert answer.json() == {"access": "access-1"}
    assert browser.jar[REFRESH[1]] == pair(1).refresh
    refreshed = browser.post("/api/token/refresh/")
    assert refreshed.json() == {"access": "access-2"}
    assert browser.jar[REFRESH[0]] == pair(2).refresh
    browser.post("/api/token/refresh", {})
    assert [call[1] for call in issuer.script.calls[1:]] == [pair(1).refresh, pair(2).refresh]


def test_a_logout_takes_the_cookies_away(browser: Browser, issuer: Issuer) -> None:
    signed_in(browser).post("/api/token/refresh/")
    assert browser.post("/api/token/logout/").status_code == 204
    assert not set(browser.jar) & set(REFRESH)
    assert issuer.script.calls[-1] == ("logout", pair(2).refresh)
    again = browser.post("/api/token/logout/")
    assert (again.status_code, again.json()["fields"]) == (400, {"refresh": "Field required"})


@pytest.mark.parametrize(
    "error",
    [
        InvalidToken(),
        InvalidToken("expired"),
        SessionEnded("logout", NOW),
        SessionSuspended("admin", NOW),
        StepUpRequired("hold"),
        StoreUnavailable("full"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("path", WRITES)
def test_a_refusal_leaves_every_cookie_as_it_is(browser: Browser, issuer: Issuer, path: str, error: Exception) -> None:
    signed_in(browser)
    issuer.script.error = error
    answer = browser.post(path)
    assert answer.status_code >= 400
    assert "set-cookie" not in answer.headers


def test_a_failed_sign_in_sets_none(browser: Browser, issuer: Issuer) -> None:
    issuer.script.error = NoActiveAccount()
    assert "set-cookie" not in browser.post("/api/token/", SIGN_IN).headers


def test_a_slow_answer_in_one_tab_puts_no_older_token_before_a_newer_one(browser: Browser, issuer: Issuer) -> None:
    signed_in(browser)
    slow = browser.send("/api/token/refresh/")  # generation 2, still under way
    browser.take(slow)
    browser.post("/api/token/refresh/")  # 3
    browser.post("/api/token/refresh/")  # 4, in the same cookie as 2
    browser.take(slow)
    browser.post("/api/token/refresh/")
    assert issuer.script.calls[-1][1] == pair(3).refresh, "the direct parent of 4, whose child was never presented"


def test_a_new_sign_in_counts_more_than_what_is_left_of_an_old_one(browser: Browser, issuer: Issuer) -> None:
    browser.jar = {REFRESH[0]: refresh_token("old", 40, issued=5), REFRESH[1]: refresh_token("old", 39, issued=4)}
    browser.post("/api/token/", SIGN_IN)
    assert REFRESH[0] not in browser.jar
    browser.jar[REFRESH[0]] = refresh_token("old", 40, issued=-5)  # an answer to the old session that was under way
    browser.post("/api/token/refresh/")
    assert issuer.script.calls[-1][1] == pair(1).refresh


def test_a_token_in_the_body_goes_before_cookies(browser: Browser, issuer: Issuer) -> None:
    signed_in(browser)
    answer = browser.post("/api/token/refresh/", {"refresh": "a.b.c"}, {"Origin": "https://evil.example"})
    assert "refresh" in answer.json()
    assert issuer.script.calls[-1][1] == "a.b.c"
    assert "set-cookie" not in answer.headers


ORIGINS = [
    ({}, True),  # the service's own, as the browser fixture sends it
    ({"Origin": PARTNER}, True),
    ({"Origin": "null"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
]


@pytest.mark.parametrize(("headers", "allowed"), ORIGINS)
@pytest.mark.parametrize("path", WRITES)
def test_only_trusted_pages_write_with_a_cookie(
    browser: Browser, issuer: Issuer, path: str, headers: dict[str, str], allowed: bool
) -> None:
    signed_in(browser)
    answer = browser.send(path, headers=headers)
    if allowed:
        assert answer.status_code in {200, 204}
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
        assert len(issuer.script.calls) == 1
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("fetch_site", "allowed"), [(None, False), ("same-origin", True), ("same-site", False), ("none", False)])
@pytest.mark.parametrize("path", WRITES)
def test_without_origin_only_the_same_origin_writes(
    http: httpx.Client, issuer: Issuer, path: str, fetch_site: str | None, allowed: bool
) -> None:
    browser = Browser(http, origin=None)
    signed_in(browser)
    answer = browser.send(path, headers={"Sec-Fetch-Site": fetch_site} if fetch_site else {})
    assert (answer.status_code in {200, 204}) is allowed
    assert len(issuer.script.calls) == 1 + allowed


def test_no_foreign_page_signs_in_with_cookies(browser: Browser, issuer: Issuer) -> None:
    for origin in ("null", "https://evil.example"):
        answer = browser.post("/api/token/", SIGN_IN, {"Origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert issuer.script.calls == []
    assert browser.jar == {}


def test_a_cookie_session_has_a_device_from_the_start(browser: Browser, issuer: Issuer) -> None:
    signed_in(browser).post("/api/token/refresh/")
    device = context(issuer, 0).device
    assert device is not None
    assert browser.jar[DEVICE].startswith(f"{device}.")
    assert context(issuer, 1).device == device
    browser.post("/api/token/", SIGN_IN)
    assert context(issuer, 2).device == device, "it stays the same browser"


def test_a_client_without_a_cookie_jar_has_no_device_that_it_could_not_show_again(http: httpx.Client, issuer: Issuer) -> None:
    http.post("/api/token/", json={**SIGN_IN, "cookie": False})
    assert context(issuer, 0).device is None


def test_a_device_that_names_itself_gets_no_device_cookie(http: httpx.Client, issuer: Issuer) -> None:
    answer = http.post("/api/token/", json={**SIGN_IN, "cookie": False}, headers={"Rescind-Device": "phone-0815"})
    assert context(issuer, 0).device == "phone-0815"
    assert "set-cookie" not in answer.headers


def test_a_service_on_loopback_is_also_localhost(http: httpx.Client, issuer: Issuer) -> None:
    browser = signed_in(Browser(http, issuer.url.replace("127.0.0.1", "localhost")))
    assert browser.post("/api/token/refresh/").status_code == 200

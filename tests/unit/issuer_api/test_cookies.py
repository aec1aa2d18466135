from __future__ import annotations

from dataclasses import replace

from fastapi import Response
from hypothesis import given
from hypothesis import strategies as st
from kit.pairs import NOW, pair, refresh_token

from services.issuer.api import cookies
from services.issuer.api.cookies import REFRESH


def jar(*tokens: str) -> dict[str, str]:
    return dict(zip(REFRESH, tokens, strict=False))


def set_cookies(response: Response) -> dict[str, str]:
    return {line.partition("=")[0]: line.partition("=")[2] for line in response.headers.getlist("set-cookie")}


def test_the_highest_generation_counts() -> None:
    old, new = refresh_token("s", 6), refresh_token("s", 7)
    assert cookies.presented(jar(old, new)) == cookies.presented(jar(new, old)) == new


def test_of_two_sessions_the_younger_token_counts() -> None:
    before, after = refresh_token("before", 9, issued=100), refresh_token("after", 1, issued=101)
    assert cookies.presented(jar(before, after)) == cookies.presented(jar(after, before)) == after


def test_rubbish_beside_a_token_does_not_hide_it() -> None:
    assert cookies.presented(jar("rubbish", refresh_token("s", 1))) == refresh_token("s", 1)


def test_rubbish_alone_is_presented_so_that_it_is_refused_as_such() -> None:
    assert cookies.presented(jar("rubbish")) == "rubbish"
    assert cookies.presented({}) is None


@given(st.dictionaries(st.sampled_from(REFRESH), st.text(max_size=80)))
def test_whatever_stands_in_the_cookies_is_no_fault_of_ours(found: dict[str, str]) -> None:
    assert cookies.presented(found) in {*found.values(), None}


def test_generations_alternate_between_the_cookies() -> None:
    names: list[str] = []
    for generation in (1, 2, 3):
        response = Response()
        cookies.set_refresh(response, pair(generation), NOW // 1000)
        names.extend(set_cookies(response))
    assert names == [REFRESH[1], REFRESH[0], REFRESH[1]]


def test_a_refresh_cookie_is_out_of_reach_for_scripts_other_hosts_and_plain_http() -> None:
    response = Response()
    cookies.set_refresh(response, pair(2, remember_me=True), NOW // 1000)
    attributes = set_cookies(response)[REFRESH[0]].split("; ")[1:]
    assert sorted(attributes) == ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=strict", "Secure"]


def test_without_remember_me_the_browser_forgets_at_its_end() -> None:
    response = Response()
    cookies.set_refresh(response, pair(2), NOW // 1000)
    assert "Max-Age" not in set_cookies(response)[REFRESH[0]]


def test_a_token_that_has_expired_meanwhile_is_not_kept() -> None:
    response = Response()
    cookies.set_refresh(response, replace(pair(2, remember_me=True), refresh_expires=0), NOW // 1000)
    assert "Max-Age=0" in set_cookies(response)[REFRESH[0]]


def test_a_new_session_takes_away_what_an_earlier_one_left() -> None:
    response = Response()
    cookies.begin(response, pair(1), NOW // 1000)
    found = set_cookies(response)
    assert found[REFRESH[1]].startswith(pair(1).refresh)
    assert found[REFRESH[0]].startswith('""; ')
    assert "Max-Age=0" in found[REFRESH[0]]

"""Guarantee 1 in cookie mode: several tabs over one cookie jar, the answer of one of them slow, and nobody is signed out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import Response
from hypothesis import example, given
from hypothesis import strategies as st
from kit.pairs import NOW, pair

from services.issuer.api import cookies
from services.issuer.decisions.rotation import Kind, Rotation, advanced, classify

Store = Callable[[dict[str, str], str, str], None]


class FamilyEnded(Exception):
    pass


class Core:
    """The issuer's own rule over one session; no time passes."""

    def __init__(self) -> None:
        self.rotation = Rotation(generation=1, iat=0, exp=10_000, kid="k", at=0)

    def refresh(self, presented: int) -> int:
        found = classify(
            self.rotation, presented, now=0, same_device=True, other_network=False, race_window=30_000, late_replays=2
        )
        if found.kind is Kind.ROTATE:
            self.rotation = advanced(self.rotation, exp=10_000, kid="k", now=0)
        elif found.kind is not Kind.REPLAY:
            raise FamilyEnded(found.cause)
        return self.rotation.generation


def two_cookies(jar: dict[str, str], name: str, value: str) -> None:
    jar[name] = value


def one_cookie(jar: dict[str, str], _: str, value: str) -> None:
    """The broken variant: every token goes into the same cookie."""
    jar[cookies.REFRESH[0]] = value


class Browser:
    def __init__(self, store: Store) -> None:
        self.jar: dict[str, str] = {}
        self._store = store

    def take(self, response: Response) -> None:
        for header in response.headers.getlist("set-cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            self._store(self.jar, name, value)

    def presents(self) -> int:
        token = cookies.presented(self.jar)
        assert token is not None
        return next(generation for generation in range(1, 100) if pair(generation).refresh == token)


def answer(generation: int) -> Response:
    response = Response()
    cookies.set_refresh(response, pair(generation), NOW // 1000)
    return response


def live(refreshes: list[tuple[int, int]], store: Store) -> None:
    """Each pair: a slow answer begins, `before` quick refreshes of other tabs, it arrives, `after` quick refreshes."""
    core, browser = Core(), Browser(store)
    browser.take(answer(1))
    for before, after in refreshes:
        slow = answer(core.refresh(browser.presents()))
        for _ in range(before):
            browser.take(answer(core.refresh(browser.presents())))
        browser.take(slow)
        for _ in range(after):
            browser.take(answer(core.refresh(browser.presents())))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), max_size=8))
@example([(3, 1)])
def test_a_slow_answer_in_one_tab_signs_nobody_out(refreshes: list[tuple[int, int]]) -> None:
    live(refreshes, two_cookies)


def test_with_one_cookie_it_would() -> None:
    with pytest.raises(FamilyEnded):
        live([(3, 1)], one_cookie)

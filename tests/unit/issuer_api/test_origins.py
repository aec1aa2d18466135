from __future__ import annotations

import pytest

from services.issuer.api.origins import Origins, origin_of, own_origins
from services.problems import Problem

OWN, PARTNER = "https://id.example", "https://app.example"
ORIGINS = Origins(own_origins(f"{OWN}/"), frozenset({PARTNER}))

# what the browser sends, whether a cookie may authenticate a write, whether a sign-in may set cookies
MATRIX = [
    ({"origin": OWN}, True, True),
    ({"origin": OWN, "sec-fetch-site": "same-origin"}, True, True),
    ({"origin": PARTNER, "sec-fetch-site": "same-site"}, True, True),
    ({"origin": "https://evil.example"}, False, False),
    ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, False, False),
    ({"origin": "null"}, False, False),
    ({"origin": "null", "sec-fetch-site": "same-origin"}, False, False),
    ({"origin": ""}, False, False),
    ({"origin": "http://id.example"}, False, False),
    ({"origin": "https://id.example:444"}, False, False),
    ({"origin": "https://id.example.evil.example"}, False, False),
    ({"origin": f"{OWN} {PARTNER}"}, False, False),
    ({}, False, True),
    ({"sec-fetch-site": "same-origin"}, True, True),
    ({"sec-fetch-site": "same-site"}, False, True),
    ({"sec-fetch-site": "none"}, False, True),
]


def allows(check: object, headers: dict[str, str]) -> bool:
    assert callable(check)
    try:
        check(headers)
    except Problem as problem:
        return (problem.status, problem.code) != (403, "origin_not_allowed")
    return True


@pytest.mark.parametrize(("headers", "write", "sign_in"), MATRIX)
def test_which_pages_may_use_cookies(headers: dict[str, str], write: bool, sign_in: bool) -> None:
    assert allows(ORIGINS.check_cookie_write, headers) is write
    assert allows(ORIGINS.check_sign_in, headers) is sign_in


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://ID.example/path?x#y", "https://id.example"),
        ("https://id.example:443", "https://id.example"),
        ("http://id.example:443", "http://id.example:443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_written_as_browsers_do(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("url", ["", "id.example", "ftp://id.example", "null", "*", "https://", "https://id.example:x"])
def test_what_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        origin_of(url)


def test_a_loopback_service_is_also_localhost() -> None:
    assert own_origins("http://127.0.0.1:8000") == {"http://127.0.0.1:8000", "http://localhost:8000"}
    assert own_origins("http://[::1]:8000") == {"http://[::1]:8000", "http://localhost:8000"}
    assert own_origins(OWN) == {OWN}

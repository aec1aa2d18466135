from __future__ import annotations

import httpx
import pytest
from kit.issuer_http import PARTNER, serving_issuer

PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


def test_an_allowed_page_may_read_answers_also_refusals(http: httpx.Client) -> None:
    for body in ({"refresh": "a.b.c"}, {}):
        answer = http.post("/api/token/refresh/", json=body, headers={"Origin": PARTNER})
        assert answer.headers["access-control-allow-origin"] == PARTNER
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]


def test_an_allowed_page_may_ask_first(http: httpx.Client) -> None:
    answer = http.options("/api/token/refresh/", headers=PREFLIGHT | {"Origin": PARTNER})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PARTNER


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{PARTNER}.evil.example"])
def test_other_pages_may_not(http: httpx.Client, origin: str) -> None:
    asked = http.options("/api/token/refresh/", headers=PREFLIGHT | {"Origin": origin})
    answer = http.post("/api/token/refresh/", json={"refresh": "a.b.c"}, headers={"Origin": origin})
    assert asked.status_code >= 400
    for each in (asked, answer):
        assert "access-control-allow-origin" not in each.headers


def test_by_default_no_page_of_another_origin_may() -> None:
    with serving_issuer(allowed=()) as issuer, httpx.Client(base_url=issuer.url) as http:
        asked = http.options("/api/token/refresh/", headers=PREFLIGHT | {"Origin": PARTNER})
        answer = http.post("/api/token/refresh/", json={"refresh": "a.b.c"}, headers={"Origin": PARTNER})
    assert asked.status_code == 405
    for each in (asked, answer):
        assert "access-control-allow-origin" not in each.headers

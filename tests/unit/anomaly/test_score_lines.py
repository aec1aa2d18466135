from __future__ import annotations

import io
import json
from typing import Any

import pytest

from services.anomaly.score_lines import score_lines

SIGN_IN: dict[str, object] = {"eid": "e1", "ts": 1_760_000_000_000, "type": "TokenIssued", "sub": "u", "sid": "s"}
SIGN_IN |= {"ip": "81.2.69.1", "asn": 3320, "cc": "DE", "cls": "res", "lat": 52.5, "lon": 13.4, "acc": 50}
SIGN_IN |= {"ua": "Mozilla/5.0", "br": "Chrome", "ver": 131, "os": "Windows"}


def answers(*lines: bytes | dict[str, object]) -> tuple[int, list[Any]]:
    out = io.StringIO()
    status = score_lines([each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines], out)
    return status, [json.loads(line) for line in out.getvalue().splitlines()]


def test_one_answer_for_each_line() -> None:
    status, found = answers(SIGN_IN, {**SIGN_IN, "eid": "e2", "type": "TokenRefreshed"})
    assert status == 0
    assert [set(each) for each in found] == [{"score", "action", "reasons"}] * 2
    assert set(found[1]["reasons"][0]) == {"name", "value", "llr"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not a JSON object"),
        ({**SIGN_IN, "type": "Nothing"}, "`type`"),
        ({**SIGN_IN, "ts": "today"}, "`ts`"),
        ({**SIGN_IN, "ts": None}, "`ts`"),
        ({**SIGN_IN, "ts": -1}, "`ts`"),
        ({**SIGN_IN, "ts": True}, "`ts`"),
        ({**SIGN_IN, "lat": 91}, "`lat`"),
        (b'{"type": "TokenIssued", "ts": 1, "lat": NaN}', "`lat`"),
        ({**SIGN_IN, "asn": "many"}, "`asn`"),
        ({**SIGN_IN, "ip": ["81.2.69.1"]}, "`ip`"),
    ],
)
def test_a_line_that_cannot_be_read_says_so_and_the_next_is_judged(line: bytes | dict[str, object], words: str) -> None:
    status, [found, after] = answers(line, SIGN_IN)
    assert status == 1
    assert found["error"].startswith("line 1: ")
    assert words in found["error"]
    assert (found["score"], found["action"], found["reasons"]) == (0, "none", [])
    assert "error" not in after


def test_an_error_quotes_nothing_of_the_line() -> None:
    _, [found] = answers({**SIGN_IN, "ip": {"secret": "81.2.69.1"}})
    assert "81.2" not in json.dumps(found)


@pytest.mark.parametrize(
    "changed",
    [
        {"asn": "AS3320"},
        {"asn": "3320"},
        {"ver": "131.0.6778"},
        {"cls": "unheard-of"},
        {"cls": []},
        {"ts": 1.76e12},
        {"sub": 7},
        {"more": 1},
    ],
)
def test_other_spellings_are_read(changed: dict[str, object]) -> None:
    status, _ = answers({**SIGN_IN, **changed})
    assert status == 0


def test_an_answer_to_a_step_up_may_name_the_act_alone() -> None:
    tor = {**SIGN_IN, "ip": "177.1.1.1", "asn": 28573, "cc": "BR", "cls": "tor", "os": "Linux", "br": "Firefox", "sid": "t"}
    lines: list[dict[str, object]] = [
        {**SIGN_IN, "eid": f"h{day}", "ts": 1_760_000_000_000 + day * 86_400_000} for day in range(30)
    ]
    asked = {**tor, "eid": "t1", "ts": 1_760_000_000_000 + 30 * 86_400_000}
    passed = {"eid": "p1", "ts": 1_760_000_000_000 + 30 * 86_400_000 + 900, "type": "StepUpPassed", "ref": "t1"}
    again = {**tor, "eid": "t2", "ts": 1_760_000_000_000 + 31 * 86_400_000}
    _, found = answers(*lines, asked, passed, again)
    assert [each["action"] for each in found[-3:]] == ["stepup", "none", "none"]
    _, unanswered = answers(*lines, asked, again)
    assert unanswered[-1]["action"] == "stepup"

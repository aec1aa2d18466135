from __future__ import annotations

import pytest

from rescind.changes import decode_change, encode_change
from rescind.errors import InvalidFeed
from rescind.verdicts import ALWAYS, Change, Cut, Verdict
from rescind.vocabulary import Target, TargetType

ISS = "https://issuer.example"
SESSION = {"target": "session", "iss": ISS, "sn": 12}


@pytest.mark.parametrize(
    ("change", "data"),
    [
        (Change(Target(TargetType.SESSION, ISS, "", 12), None), {**SESSION, "verdict": None}),
        (
            Change(Target(TargetType.SESSION, ISS, "", 12), Verdict(end=ALWAYS, reason="logout")),
            {**SESSION, "verdict": {"end": True, "reason": "logout"}},
        ),
        (
            Change(Target(TargetType.SESSION, ISS, "abc"), Verdict(hold=ALWAYS, step_up_id="s1", reason="anomaly")),
            {"target": "session", "iss": ISS, "id": "abc", "verdict": {"hold": True, "step_up_id": "s1", "reason": "anomaly"}},
        ),
        (
            Change(Target(TargetType.SUBJECT, ISS, "n"), Verdict(end=Cut(9, 7, 100), cv=4, iat=5, reason="admin")),
            {
                "target": "subject",
                "iss": ISS,
                "id": "n",
                "verdict": {
                    "end": {"sn": 9, "except": 7, "auth_time": 100},
                    "refresh": {"cv": 4, "iat": 5},
                    "reason": "admin",
                },
            },
        ),
        (
            Change(Target(TargetType.ISSUER, ISS, ISS), Verdict(end=Cut(auth_time=0), reason="")),
            {"target": "issuer", "iss": ISS, "id": ISS, "verdict": {"end": {"auth_time": 0}, "reason": ""}},
        ),
    ],
)
def test_a_change_has_one_json_form(change: Change, data: dict[str, object]) -> None:
    assert encode_change(change) == data
    assert decode_change(data) == change


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        SESSION,
        {**SESSION, "id": "abc", "verdict": None},
        {**SESSION, "verdict": None, "more": 1},
        {**SESSION, "target": "device", "verdict": None},
        {**SESSION, "target": "subject", "verdict": None},
        {**SESSION, "iss": "", "verdict": None},
        {**SESSION, "sn": -1, "verdict": None},
        {**SESSION, "sn": True, "verdict": None},
        {**SESSION, "sn": 2**63, "verdict": None},
        {"target": "key", "iss": ISS, "id": "", "verdict": None},
        {"target": "key", "iss": ISS, "verdict": None},
        *[
            {**SESSION, "verdict": verdict}
            for verdict in (
                True,
                {},
                {"reason": "logout"},
                {"end": True},
                {"end": False, "reason": ""},
                {"end": 1, "reason": ""},
                {"end": {"sn": "1"}, "reason": ""},
                {"end": {"sn": 1, "unless": 2}, "reason": ""},
                {"end": True, "reason": "", "stricter": True},
                {"refresh": True, "reason": ""},
                {"refresh": {"cv": -1}, "reason": ""},
            )
        ],
    ],
)
def test_anything_else_is_refused(data: object) -> None:
    with pytest.raises(InvalidFeed):
        decode_change(data)


def test_the_most_frequent_verdict_is_one_object() -> None:
    ended = {**SESSION, "verdict": {"end": True, "reason": "logout"}}
    assert decode_change(ended).verdict is decode_change({**ended, "sn": 13}).verdict

from __future__ import annotations

import pytest
from kit.feed_server import ISS, ended, lifted

from rescind import words
from rescind.changes import encode_change
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.frames import Delta, Heartbeat, Snapshot
from rescind.position import Position
from rescind.revocations import RevocationList
from rescind.verdicts import ALWAYS, Change, Cut, Verdict
from rescind.vocabulary import Target, TargetType

SUBJECT = Target(TargetType.SUBJECT, ISS, "5f2b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (ended(7), "session number 7 of https://issuer.test: ended (logout)"),
        (lifted(7), "session number 7 of https://issuer.test: listed no more"),
        (
            Change(SUBJECT, Verdict(end=Cut(sn=40, except_sn=37, auth_time=60), reason="password_changed")),
            (
                "subject 5f2b of https://issuer.test: ended: sessions up to number 40 but for 37 and what signed in up to "
                "1970-01-01T00:01:00Z (password_changed)"
            ),
        ),
        (
            Change(SUBJECT, Verdict(hold=ALWAYS, cv=4, iat=60, reason="anomaly")),
            (
                "subject 5f2b of https://issuer.test: on hold, claims below version 4 are outdated, "
                "tokens issued up to 1970-01-01T00:01:00Z are outdated (anomaly)"
            ),
        ),
    ],
)
def test_a_change_in_words(change: Change, said: str) -> None:
    assert words.of_change(change) == said


def test_frames_in_words() -> None:
    position = Position(1, 2)
    delta = Delta(Position(1, 1), position, (encode_change(ended(7)), encode_change(lifted(8))), "")
    assert [line.partition(" of ")[0] for line in words.of_frame(delta)] == ["1.2 session number 7", "1.2 session number 8"]
    assert list(words.of_frame(Heartbeat(position, {ISS: 30}))) == ["1.2 heartbeat; heard from https://issuer.test 30 ms ago"]
    assert list(words.of_frame(Heartbeat(position, {}))) == ["1.2 heartbeat; heard from no issuer"]
    listed = RevocationList()
    listed.apply(position, [ended(7), ended(8)])
    assert words.of_snapshot(Snapshot("", position, "", ""), listed.snapshot()) == "1.2 snapshot; 2 targets are listed"


def test_claims_in_words() -> None:
    claims = Claims(
        iss=ISS,
        sub="ann",
        aud=("api",),
        exp=160,
        iat=60,
        jti="j",
        client_id="web",
        sid="s1",
        sn=7,
        scope=frozenset("ba"),
        kid="k1",
    )
    assert list(words.of_claims(claims, 100)) == [
        "subject  ann",
        "session  s1, number 7",
        "client   web",
        "scope    a b",
        "issuer   https://issuer.test, key k1",
        "issued   1970-01-01T00:01:00Z",
        "expires  1970-01-01T00:02:40Z, in 60 s",
    ]


def test_a_refusal_in_words() -> None:
    assert list(words.of_refusal(Denied(Denial.STEP_UP_REQUIRED, "on hold", "u-1"))) == [
        "refused: step_up_required",
        "on hold",
        "the way out is step-up u-1",
    ]

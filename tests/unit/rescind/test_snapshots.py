from __future__ import annotations

import hashlib
import json
import struct

import pytest
from kit.tokens import ISS

from rescind.errors import InvalidFeed
from rescind.position import Position
from rescind.revocations import ALWAYS, Change, Cut, RevocationList, Verdict
from rescind.vocabulary import Target, TargetType

END = Verdict(end=ALWAYS, reason="logout")
CHANGES = [
    Change(Target(TargetType.SESSION, ISS, "", 12), END),
    Change(Target(TargetType.SESSION, ISS, "", 3), END),
    Change(Target(TargetType.SESSION, "https://a.example", "", 3), END),
    Change(Target(TargetType.SESSION, ISS, "sid-é-\ud800"), END),
    Change(Target(TargetType.SESSION, ISS, "", 4), Verdict(hold=ALWAYS, step_up_id="s", reason="anomaly")),
    Change(Target(TargetType.SUBJECT, ISS, "00ff"), Verdict(end=Cut(9, 3, 5), cv=2, iat=8, reason="admin")),
    Change(Target(TargetType.KEY, ISS, "k1"), END),
]


def made(changes: list[Change]) -> RevocationList:
    found = RevocationList()
    found.apply(Position(2, 7), changes)
    return found


def test_order_and_detours_leave_no_trace_in_the_bytes() -> None:
    straight = made(CHANGES)
    detour = RevocationList()
    detour.apply(Position(2, 5), [Change(change.target, Verdict(cv=1, reason="claims_changed")) for change in CHANGES])
    detour.apply(Position(2, 6), [Change(Target(TargetType.SESSION, "https://b.example", "", 1), END)])
    detour.apply(Position(2, 7), [Change(Target(TargetType.SESSION, "https://b.example", "", 1), None), *reversed(CHANGES)])
    assert detour.snapshot() == straight.snapshot()
    assert detour.digest() == straight.digest() == hashlib.sha256(straight.snapshot()).hexdigest()


def test_another_position_or_verdict_is_another_digest() -> None:
    other = made([*CHANGES[:-1], Change(CHANGES[-1].target, Verdict(end=ALWAYS, reason="admin"))])
    elsewhere = RevocationList()
    elsewhere.apply(Position(2, 8), CHANGES)
    assert len({made(CHANGES).digest(), other.digest(), elsewhere.digest()}) == 3


def test_a_snapshot_comes_back_whole() -> None:
    data = made(CHANGES).snapshot()
    loaded = RevocationList.load(data)
    assert loaded.position == Position(2, 7)
    assert loaded.snapshot() == data
    assert len(loaded) == len(CHANGES)


def test_the_layout_is_what_the_protocol_says() -> None:
    data = made(CHANGES).snapshot()
    assert data[:8] == b"RESCIND1"
    (length,) = struct.unpack_from("<I", data, 8)
    content = json.loads(data[12 : 12 + length])
    assert content["position"] == "2.7"
    assert [iss for iss, _ in content["ended"]] == ["https://a.example", ISS]
    assert sum(size for _, size in content["ended"]) == len(data) - 12 - length
    assert len(content["changes"]) == 4


def rewrite(**members: object) -> bytes:
    data = made(CHANGES).snapshot()
    (length,) = struct.unpack_from("<I", data, 8)
    content = json.loads(data[12 : 12 + length]) | members
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return data[:8] + struct.pack("<I", len(text)) + text + data[12 + length :]


def test_the_rewriting_of_this_test_is_faithful() -> None:
    assert rewrite() == made(CHANGES).snapshot()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RESCIND1",
        b"RESCIND1\xff\xff\xff\xff",
        b"RESCIND2" + made(CHANGES).snapshot()[8:],
        made(CHANGES).snapshot()[:-1],
        made(CHANGES).snapshot() + b"\x00",
        rewrite(position="2"),
        rewrite(position=2),
        rewrite(changes={}),
        rewrite(changes=[5]),
        rewrite(changes=[{"target": "session", "iss": ISS, "sn": 3, "verdict": {"end": True, "reason": ""}}]),
        rewrite(changes=[{"target": "key", "iss": ISS, "id": "k", "verdict": None}]),
        rewrite(ended=[]),
        rewrite(ended=[[ISS, 5]]),
        rewrite(ended=[[ISS]]),
        rewrite(ended=[[5, -5]]),
        rewrite(more=1),
        b"RESCIND1\x02\x00\x00\x00[]",
        b"RESCIND1" + struct.pack("<I", 100_000) + b"[" * 100_000,
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFeed):
        RevocationList.load(data)

"""The revocation list against models that are too simple to be wrong."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from rescind.changes import decode_change, encode_change
from rescind.claims import Claims
from rescind.errors import Denial
from rescind.numbers import NumberSet
from rescind.position import Position
from rescind.revocations import ALWAYS, Change, Cut, RevocationList, Verdict, fold_cuts
from rescind.vocabulary import Target, TargetType, subject_name

ISSUERS = ("https://issuer.example", "https://other.example")
small = st.integers(-1, 6)

cuts = st.builds(Cut, small, small, small)
some_cut = st.one_of(st.just(ALWAYS), cuts)
verdicts = st.builds(
    Verdict,
    end=st.none() | some_cut,
    hold=st.none() | some_cut,
    step_up_id=st.sampled_from(["", "s1"]),
    cv=small,
    iat=small,
    reason=st.sampled_from(["admin", "anomaly"]),
)


def target(kind: TargetType, iss: str, number: int) -> Target:
    names = {TargetType.SUBJECT: subject_name(iss, f"sub-{number}"), TargetType.ISSUER: iss}
    return Target(kind, iss, names.get(kind, f"{kind.value}-{number}"))


targets = st.builds(target, st.sampled_from(TargetType), st.sampled_from(ISSUERS), st.integers(0, 2)) | st.builds(
    lambda iss, sn: Target(TargetType.SESSION, iss, "", sn), st.sampled_from(ISSUERS), st.integers(0, 6)
)
changes = st.builds(Change, targets, st.none() | verdicts)
tokens = st.builds(
    lambda iss, number, sn, cv, auth_time, iat: Claims(
        iss=iss,
        sub=f"sub-{number}",
        aud=("a",),
        exp=1000,
        iat=iat,
        jti=f"token-{number}",
        client_id=f"client-{number}",
        sid=f"session-{number}",
        sn=sn,
        cv=cv,
        auth_time=auth_time,
        kid=f"key-{number}",
    ),
    st.sampled_from(ISSUERS),
    st.integers(0, 2),
    small,
    small,
    small,
    st.integers(0, 6),
)


@given(st.lists(cuts, max_size=5), st.lists(tokens, max_size=20))
def test_a_folded_cut_covers_what_any_of_its_cuts_covers(parts: list[Cut], some: list[Claims]) -> None:
    folded = fold_cuts(parts)
    for token in some:
        assert folded.covers(token) == any(cut.covers(token) for cut in parts)


@given(st.permutations([Cut(9, 7), Cut(5), Cut(8, 7), Cut(auth_time=3)]), st.integers(0, 4))
def test_folding_can_be_done_in_any_order_and_in_steps(parts: list[Cut], at: int) -> None:
    assert fold_cuts([fold_cuts(parts[:at]), fold_cuts(parts[at:])]) == fold_cuts(parts)


def naive(stands: dict[Target, Verdict], token: Claims) -> Denial | None:
    """Ask every target of the list whether it is one of the token's, and take the strictest of what they say."""
    mine = {
        Target(TargetType.KEY, token.iss, token.kid): Denial.KEY_REVOKED,
        Target(TargetType.TOKEN, token.iss, token.jti): Denial.TOKEN_REVOKED,
        Target(TargetType.SESSION, token.iss, "", token.sn): Denial.SESSION_REVOKED,
        Target(TargetType.SESSION, token.iss, token.sid or ""): Denial.SESSION_REVOKED,
        Target(TargetType.SUBJECT, token.iss, token.subject): Denial.SESSION_REVOKED,
        Target(TargetType.CLIENT, token.iss, token.client_id): Denial.SESSION_REVOKED,
        Target(TargetType.ISSUER, token.iss, token.iss): Denial.SESSION_REVOKED,
    }
    said: set[Denial] = set()
    for one, verdict in stands.items():
        if one not in mine:
            continue
        if verdict.end and verdict.end.covers(token):
            said.add(mine[one])
        if verdict.hold and verdict.hold.covers(token):
            said.add(Denial.STEP_UP_REQUIRED)
        if verdict.outdates(token):
            said.add(Denial.TOKEN_OUTDATED)
    strictest = [Denial.KEY_REVOKED, Denial.TOKEN_REVOKED, Denial.SESSION_REVOKED, Denial.STEP_UP_REQUIRED, Denial.TOKEN_OUTDATED]
    return next((denial for denial in strictest if denial in said), None)


@given(st.lists(st.lists(changes, max_size=4), max_size=8), st.lists(tokens, min_size=1, max_size=8))
def test_the_list_judges_like_a_plain_table(deltas: list[list[Change]], some: list[Claims]) -> None:
    made, table = RevocationList(), dict[Target, Verdict]()
    for seq, delta in enumerate(deltas, 1):
        made.apply(Position(1, seq), delta)
        for change in delta:
            table.pop(change.target, None)
            if change.verdict is not None:
                table[change.target] = change.verdict
        for token in some:
            denied = made.judge(token)
            found = None if denied is None else denied.reason
            assert found == same_kind(naive(table, token), found)


def same_kind(expected: Denial | None, found: Denial | None) -> Denial | None:
    """Of several ends that apply any may be named."""
    ends = {Denial.KEY_REVOKED, Denial.TOKEN_REVOKED, Denial.SESSION_REVOKED}
    return found if expected in ends and found in ends else expected


@given(st.lists(st.lists(changes, max_size=4), max_size=8), st.randoms(use_true_random=False))
def test_however_deltas_are_cut_repeated_or_reloaded_the_bytes_are_the_same(
    deltas: list[list[Change]], chance: random.Random
) -> None:
    straight, detour = RevocationList(), RevocationList()
    waiting: list[Change] = []
    for seq, delta in enumerate(deltas, 1):
        straight.apply(Position(1, seq), delta)
        waiting += delta
        if chance.random() < 0.5 and seq < len(deltas):
            continue  # two deltas in one
        detour.apply(Position(1, seq), [decode_change(encode_change(change)) for change in in_order(deltas[:seq], waiting)])
        detour.apply(Position(1, seq), [Change(change.target, None) for change in waiting])  # a duplicate position
        waiting = []
        if chance.random() < 0.5:
            detour = RevocationList.load(detour.snapshot())
    assert detour.position == straight.position
    assert detour.snapshot() == straight.snapshot()
    assert RevocationList.load(straight.snapshot()).digest() == straight.digest()


def in_order(so_far: list[list[Change]], waiting: list[Change]) -> list[Change]:
    """Give what stands now for every target that waits: a coalesced delta."""
    last = {change.target: change for delta in so_far for change in delta}
    shown = (last[change.target] for change in waiting)
    return [Change(change.target, None if change.verdict is None or change.verdict.empty else change.verdict) for change in shown]


near = st.integers(0, 300)
far = st.integers(0, 2**63 - 1)
edges = st.sampled_from([0, 65_535, 65_536, 2**32 - 1, 2**32, 2**48, 2**63 - 1])


@given(st.lists(st.tuples(st.booleans(), near | far | edges), max_size=60))
def test_numbers_behave_like_a_set(steps: list[tuple[bool, int]]) -> None:
    numbers, model = NumberSet(), set[int]()
    for put, number in steps:
        (numbers.add if put else numbers.discard)(number)
        (model.add if put else model.discard)(number)
        assert (number in numbers) == (number in model)
    assert list(numbers) == sorted(model)
    assert len(numbers) == len(model)
    again = NumberSet.from_bytes(numbers.to_bytes())
    assert list(again) == sorted(model)
    other = NumberSet()
    for number in model:
        other.add(number)
    assert other.to_bytes() == numbers.to_bytes() == again.to_bytes()


@given(st.integers(0, 2**32), st.integers(4244, 4249), st.integers(0, 2**20))
def test_numbers_around_the_size_where_an_array_becomes_a_bitmap(seed: int, size: int, high: int) -> None:
    model = random.Random(seed).sample(range(65_536), size)  # noqa: S311  (no secret)
    numbers = NumberSet()
    for low in model:
        numbers.add(high << 16 | low)
    for low in model[:150]:
        numbers.discard(high << 16 | low)
    assert [number & 0xFFFF for number in numbers] == sorted(model[150:])
    assert list(NumberSet.from_bytes(numbers.to_bytes())) == list(numbers)

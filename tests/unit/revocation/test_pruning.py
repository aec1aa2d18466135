from __future__ import annotations

from rescind.events.revocation import Fact, HorizonMoved, RevocationExtended, RevocationLifted, RevocationMade
from rescind.position import Position
from rescind.revocations import RevocationList
from services.revocation.decisions.folding import Folded, fold
from services.revocation.decisions.pruning import Applied, Memory

ISS = "https://id.example"


def ended(revocation_id: str, sn: int, *, at: int = 1_000, kind: str = "session", iss: str = ISS) -> RevocationMade:
    return RevocationMade(
        revocation_id=revocation_id,
        target_type=kind,
        iss=iss,
        target_id=f"{kind}{sn}",
        sn=sn if kind == "session" else -1,
        effect="end",
        reason="admin",
        by="x",
        at=at,
    )


def part(revocation_id: str, sn: int) -> RevocationExtended:
    return RevocationExtended(
        revocation_id=revocation_id,
        target_type="session",
        iss=ISS,
        target_id=f"session{sn}",
        sn=sn,
        effect="end",
        reason="admin",
        by="x",
        at=1_000,
    )


def horizon(seq: int, *, time: int = -1, iss: str = ISS) -> HorizonMoved:
    return HorizonMoved(iss=iss, epoch=1, seq=seq, time=time)


def listed(*facts: Fact) -> RevocationList:
    state, found = Folded(), RevocationList(Position(1, 0))
    for seq, fact in enumerate(facts, start=1):
        found.apply(Position(1, seq), fold(state, Position(1, seq), fact))
    return found


def test_what_stands_up_to_the_horizon_is_dropped_and_what_came_later_stays() -> None:
    assert len(listed(ended("a", 1), ended("b", 2), ended("c", 3), horizon(2))) == 1


def test_another_issuers_revocations_stay() -> None:
    assert len(listed(ended("a", 1, iss="https://other.example"), ended("b", 2), horizon(2))) == 1


def test_a_revocation_with_a_later_part_stays_whole() -> None:
    assert len(listed(ended("a", 1), ended("b", 2), part("a", 4), horizon(2))) == 2


def test_a_target_that_a_later_revocation_names_too_stays() -> None:
    found = listed(ended("a", 1), ended("b", 1), horizon(1))
    assert len(found) == 1
    assert len(listed(ended("a", 1), ended("b", 1), horizon(2))) == 0


def test_a_key_is_never_dropped() -> None:
    assert len(listed(ended("a", 1, kind="key"), ended("b", 2), horizon(2))) == 1
    state = Folded()
    fold(state, Position(1, 1), ended("a", 1, kind="key"))
    assert state.oldest(ISS) is None


def test_what_the_issuer_revoked_before_the_horizon_and_arrives_later_is_ignored() -> None:
    late = ended("late", 5, at=2_000)
    assert len(listed(horizon(0, time=2_000), late)) == 0
    assert len(listed(horizon(0, time=1_999), late)) == 1


def test_a_dropped_revocation_can_be_lifted_without_effect_on_others() -> None:
    lift = RevocationLifted(revocation_id="a", iss=ISS, by="x", at=3_000)
    assert len(listed(ended("a", 1), ended("b", 2), horizon(1), lift)) == 1


def test_the_oldest_is_by_the_latest_fact_of_each() -> None:
    state = Folded()
    facts: list[Fact] = [ended("a", 1), ended("b", 2), part("a", 1)]
    for seq, fact in enumerate(facts, start=1):
        fold(state, Position(1, seq), fact)
    assert state.oldest(ISS) == Position(1, 2)
    assert state.oldest("https://other.example") is None


def test_a_horizon_waits_for_one_life_by_the_sources_own_clock() -> None:
    memory = Memory()
    memory.note(ISS, Applied(100_000, Position(1, 5)))
    memory.note(ISS, Applied(110_000, Position(1, 6)))  # too soon after the last: not kept
    memory.note(ISS, Applied(140_000, Position(1, 9)))
    assert memory.due(ISS, now=199_999, life_ms=100_000) is None
    assert memory.due(ISS, now=200_000, life_ms=100_000) == Applied(100_000, Position(1, 5))
    assert memory.due(ISS, now=240_000, life_ms=100_000) == Applied(140_000, Position(1, 9))
    assert memory.due("https://other.example", now=10**9, life_ms=1) is None


def test_what_a_source_said_before_it_was_put_back_does_not_count() -> None:
    memory = Memory()
    memory.note(ISS, Applied(100_000, Position(1, 5)))
    memory.note(ISS, Applied(101_000, Position(1, 3)))
    assert memory.due(ISS, now=200_000, life_ms=100_000) is None
    assert memory.due(ISS, now=201_000, life_ms=100_000) == Applied(101_000, Position(1, 3))

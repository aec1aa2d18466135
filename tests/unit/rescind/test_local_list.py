from __future__ import annotations

from dataclasses import replace

import pytest
from kit.feed_server import ISS, ended, lifted

from rescind.changes import encode_change
from rescind.claims import Claims
from rescind.errors import Denial, InvalidFeed
from rescind.frames import Delta, Snapshot
from rescind.local_list import LocalList, OutOfStep
from rescind.position import Position
from rescind.revocations import RevocationList
from rescind.verdicts import ALWAYS, Change, Verdict
from rescind.vocabulary import Target, TargetType

KEEP_MS = 60_000


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def claims(sn: int) -> Claims:
    return Claims(iss=ISS, sub="anna", aud=("api",), exp=2000, iat=1000, jti=f"j{sn}", client_id="app", sid=f"s{sn}", sn=sn)


def snapshot(position: Position, *changes: Change) -> tuple[Snapshot, bytes]:
    listed = RevocationList(Position(position.epoch, 0))
    listed.apply(position, changes)
    return Snapshot(f"/v1/snapshots/{position}", position, listed.digest(), f"mark-{position}"), listed.snapshot()


def delta(origin: str, position: str, *changes: Change) -> Delta:
    return Delta(Position.parse(origin), Position.parse(position), tuple(map(encode_change, changes)), f"mark-{position}")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def local(clock: Clock) -> LocalList:
    return LocalList(keep_ms=KEEP_MS, clock=clock)


def refused(local: LocalList) -> set[int]:
    return {sn for sn in range(1, 10) if local.judge(claims(sn))}


def test_everything_is_refused_before_the_first_snapshot(local: LocalList) -> None:
    denied = local.judge(claims(1))
    assert denied
    assert denied.reason is Denial.NOT_READY
    assert local.position is None


def test_deltas_go_on_from_a_snapshot(local: LocalList) -> None:
    local.load(*snapshot(Position(1, 5), ended(1)))
    assert local.apply(delta("1.5", "1.6", ended(2)))
    assert local.apply(delta("1.6", "1.8", lifted(1), ended(3)))
    assert refused(local) == {2, 3}
    assert (local.position, local.mark) == (Position(1, 8), "mark-1.8")


def test_a_duplicate_changes_nothing(local: LocalList) -> None:
    local.load(*snapshot(Position(1, 5)))
    local.apply(delta("1.5", "1.6", ended(2)))
    version = local.version
    assert not local.apply(delta("1.5", "1.6", ended(2)))
    assert (local.version, local.mark) == (version, "mark-1.6")


def test_a_delta_that_overlaps_is_applied(local: LocalList) -> None:
    local.load(*snapshot(Position(1, 5), ended(1)))
    assert local.apply(delta("1.3", "1.7", ended(1), ended(2)))
    assert refused(local) == {1, 2}


@pytest.mark.parametrize(("origin", "position"), [("1.6", "1.7"), ("2.0", "2.1"), ("1.5", "2.1"), ("0.5", "0.9")])
def test_a_gap_or_another_epoch_is_out_of_step(local: LocalList, origin: str, position: str) -> None:
    local.load(*snapshot(Position(1, 5)))
    with pytest.raises(OutOfStep):
        local.apply(delta(origin, position, ended(2)))
    assert (local.position, refused(local)) == (Position(1, 5), set())


def test_a_delta_with_one_malformed_change_is_not_applied_in_part(local: LocalList) -> None:
    local.load(*snapshot(Position(1, 5)))
    good = delta("1.5", "1.6", ended(2))
    with pytest.raises(InvalidFeed):
        local.apply(replace(good, changes=(*good.changes, {"target": "planet"})))
    assert (local.position, refused(local)) == (Position(1, 5), set())


def test_a_snapshot_that_is_not_what_was_announced_is_refused(local: LocalList) -> None:
    frame, data = snapshot(Position(1, 5), ended(1))
    for wrong in (replace(frame, digest="0" * 64), replace(frame, position=Position(1, 6))):
        with pytest.raises(InvalidFeed):
            local.load(wrong, data)
    assert local.position is None


def test_a_snapshot_never_leads_back(local: LocalList) -> None:
    local.load(*snapshot(Position(2, 5), ended(1)))
    for older in (Position(2, 4), Position(1, 900)):
        with pytest.raises(OutOfStep):
            local.load(*snapshot(older))
    assert refused(local) == {1}


def test_a_higher_epoch_keeps_what_was_refused_until_it_has_expired(local: LocalList, clock: Clock) -> None:
    local.load(*snapshot(Position(1, 5), ended(1), ended(2)))
    local.load(*snapshot(Position(2, 1), ended(3)))
    assert refused(local) == {1, 2, 3}
    clock.now = KEEP_MS - 1
    local.forget()
    assert refused(local) == {1, 2, 3}
    version = local.version
    clock.now = KEEP_MS
    local.forget()
    assert refused(local) == {3}
    assert local.version > version


def test_without_keeping_the_old_list_a_restored_service_would_revive_a_session(local: LocalList) -> None:
    """Negative control: the new epoch's list alone accepts what was refused."""
    forgetful = LocalList(keep_ms=0, clock=Clock())
    for one in (local, forgetful):
        one.load(*snapshot(Position(1, 5), ended(1)))
        one.load(*snapshot(Position(2, 1)))
        one.forget()
    assert refused(local) == {1}
    assert refused(forgetful) == set()


def test_a_resync_within_the_epoch_keeps_the_old_epochs_list(local: LocalList) -> None:
    local.load(*snapshot(Position(1, 5), ended(1)))
    local.load(*snapshot(Position(2, 1)))
    local.load(*snapshot(Position(2, 7), ended(4)))
    assert refused(local) == {1, 4}
    local.load(*snapshot(Position(3, 1)))
    assert refused(local) == {1, 4}


def test_a_lift_clears_both(local: LocalList) -> None:
    local.load(*snapshot(Position(1, 5), ended(1), ended(2)))
    local.load(*snapshot(Position(2, 1), ended(1)))
    local.apply(delta("2.1", "2.2", lifted(1)))
    assert refused(local) == {2}


def test_the_strictest_of_the_lists_counts(local: LocalList) -> None:
    held = Change(Target(TargetType.SESSION, ISS, "", 1), Verdict(hold=ALWAYS, step_up_id="u1", reason="anomaly"))
    outdated = Change(Target(TargetType.SESSION, ISS, "", 1), Verdict(iat=5_000, reason="claims_changed"))
    for position, change, reason in [
        (Position(1, 1), outdated, Denial.TOKEN_OUTDATED),
        (Position(2, 1), held, Denial.STEP_UP_REQUIRED),
        (Position(3, 1), outdated, Denial.STEP_UP_REQUIRED),
        (Position(4, 1), ended(1), Denial.SESSION_REVOKED),
        (Position(5, 1), held, Denial.SESSION_REVOKED),
    ]:
        local.load(*snapshot(position, change))
        denied = local.judge(claims(1))
        assert denied
        assert denied.reason is reason


def test_the_version_moves_whenever_a_judgement_may(local: LocalList) -> None:
    versions = [local.version]
    local.load(*snapshot(Position(1, 5)))
    versions.append(local.version)
    local.apply(delta("1.5", "1.6", ended(1)))
    versions.append(local.version)
    local.load(*snapshot(Position(1, 9)))
    versions.append(local.version)
    assert versions == sorted(set(versions))

from __future__ import annotations

import pytest

from eventlog.port import Recorded
from rescind.events.revocation import Fact, RevocationExtended, RevocationLifted, RevocationMade
from rescind.position import Position
from services.revocation.decisions.facts import event_of
from services.revocation.decisions.views import decide_lift, view
from services.revocation.errors import NotFound, NotLiftable

WINDOW = 1_000
ARRIVED = 5_000


def made(reason: str = "admin", kind: str = "session") -> RevocationMade:
    return RevocationMade(
        revocation_id="r", target_type=kind, iss="i", target_id="x", effect="end", reason=reason, by="client:c", at=4_990
    )


def part() -> RevocationExtended:
    return RevocationExtended(
        revocation_id="r",
        target_type="session",
        iss="i",
        target_id="x",
        sn=3,
        effect="end",
        reason="admin",
        by="client:c",
        at=1,
    )


def stream(*facts: Fact) -> list[Recorded]:
    return [
        Recorded("revocation-r", n, event_of(fact, id=str(n), arrived=ARRIVED + n - 1), Position(1, n))
        for n, fact in enumerate(facts, start=1)
    ]


LIFT = RevocationLifted(revocation_id="r", iss="i", by="client:c", at=5_500)


def test_a_revocation_with_its_parts() -> None:
    found = view(stream(made(), part(), LIFT))
    assert (found.position, found.arrived, found.parts, found.lifted) == (Position(1, 1), 5_000, 1, 5_002)


def test_after_a_loss_a_part_stands_for_the_revocation() -> None:
    assert view(stream(part())).first == part()


def test_a_lift_alone_is_no_revocation() -> None:
    with pytest.raises(NotFound):
        view(stream(LIFT))
    with pytest.raises(NotFound):
        view([])


def test_a_lift_within_the_window() -> None:
    lifted = decide_lift(view(stream(made())), by="client:d", now=ARRIVED + WINDOW, lift_window_ms=WINDOW)
    assert lifted == RevocationLifted(revocation_id="r", iss="i", by="client:d", at=ARRIVED + WINDOW)


def test_a_lift_after_the_window() -> None:
    with pytest.raises(NotLiftable):
        decide_lift(view(stream(made())), by="x", now=ARRIVED + WINDOW + 1, lift_window_ms=WINDOW)


def test_a_second_lift_changes_nothing() -> None:
    assert decide_lift(view(stream(made(), LIFT)), by="x", now=10**12, lift_window_ms=WINDOW) is None


@pytest.mark.parametrize("fact", [made("logout"), made("refresh_reuse"), made("admin", "key"), made("compromised", "key")])
def test_what_is_for_good(fact: RevocationMade) -> None:
    with pytest.raises(NotLiftable):
        decide_lift(view(stream(fact)), by="x", now=ARRIVED, lift_window_ms=WINDOW)

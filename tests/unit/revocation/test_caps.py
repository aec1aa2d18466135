from __future__ import annotations

from services.revocation.decisions.caps import Caps, Over, over

CAPS = Caps(per_minute=3, share=0.05, floor=10)


def judged(*, minute: int = 0, hour: int = 0, weight: int | None = 1, live: int = 1_000) -> Over | None:
    return over(CAPS, last_minute=minute, last_hour=hour, weight=weight, live_sessions=live)


def test_up_to_the_caps_it_goes_through() -> None:
    assert judged(minute=2, hour=49) is None


def test_so_many_a_minute() -> None:
    found = judged(minute=3)
    assert found is not None
    assert (found.cap, found.limit, found.retry_after) == ("per_minute", 3, 60)


def test_so_large_a_share_of_the_live_sessions_an_hour() -> None:
    found = judged(hour=50)
    assert found is not None
    assert (found.cap, found.limit) == ("share", 50)


def test_few_live_sessions_leave_the_floor() -> None:
    assert judged(hour=9, live=0) is None
    assert judged(hour=10, live=0) is not None


def test_what_ends_any_number_of_sessions_is_over_every_share() -> None:
    assert judged(weight=None, live=0) is not None
    assert judged(weight=None, live=10**9) is not None

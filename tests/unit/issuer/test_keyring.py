from dataclasses import replace

import pytest

from services.issuer.decisions.keyring import Key, Use, over, published, signing

OLD = Key(kid="old", use=Use.ACCESS, algorithm="ES256", signs_from=100)
NEXT = replace(OLD, kid="next", signs_from=200)
REFRESH = Key(kid="refresh", use=Use.REFRESH, algorithm="HS256", signs_from=100)
KEYS = (NEXT, REFRESH, OLD)


@pytest.mark.parametrize(
    ("keys", "now", "expected"),
    [
        ((), 150, None),
        (KEYS, 150, "old"),
        (KEYS, 199, "old"),
        (KEYS, 200, "next"),
        (KEYS, 50, "old"),  # nothing has come yet: the first one ahead
        ((replace(OLD, revoked_at=120), NEXT), 150, "next"),  # ahead of its time, because nothing else is left
        ((OLD, replace(NEXT, revoked_at=210)), 250, "old"),
        ((replace(OLD, retired_at=220), NEXT), 250, "next"),
    ],
)
def test_the_youngest_key_whose_time_has_come_signs(keys: tuple[Key, ...], now: int, expected: str | None) -> None:
    found = signing(keys, Use.ACCESS, now)
    assert (found.kid if found else None) == expected


def test_keys_ahead_and_in_overlap_are_published_and_dead_ones_are_not() -> None:
    dead = (replace(OLD, kid="retired", retired_at=1), replace(OLD, kid="revoked", revoked_at=1))
    assert [key.kid for key in published((*KEYS, *dead))] == ["old", "next"]


@pytest.mark.parametrize(("now", "expected"), [(200, []), (299, []), (300, ["old"])])
def test_a_key_retires_when_its_last_token_has_expired(now: int, expected: list[str]) -> None:
    assert [key.kid for key in over(KEYS, Use.ACCESS, now, 100)] == expected


def test_the_signing_key_never_retires() -> None:
    assert over((NEXT, REFRESH), Use.ACCESS, 10**9, 100) == ()

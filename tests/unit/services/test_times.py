import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.times import iso, parse_iso


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_a_time_survives_the_wire(ms: int) -> None:
    assert parse_iso(iso(ms)) == ms


def test_the_form_is_utc_with_three_decimals() -> None:
    assert iso(1_795_548_147_123) == "2026-11-24T19:22:27.123Z"
    assert iso(0) == "1970-01-01T00:00:00.000Z"


def test_offsets_are_understood() -> None:
    assert parse_iso("2026-11-24T20:22:27.123+01:00") == parse_iso("2026-11-24T19:22:27.123Z")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-24T19:22:27", "2026-11-24", "1795548147123"])
def test_what_is_no_time_or_has_no_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_iso(text)

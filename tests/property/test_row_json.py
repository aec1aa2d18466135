"""A row of a log survives JSON byte for byte, and what is no row is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.port import Event, Recorded
from eventlog.row_json import read_row, row_json
from rescind.position import Position

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
wholes = st.integers(min_value=0, max_value=2**63 - 1)
events = st.builds(Event, id=texts, type=texts, time=wholes, subject=texts, session=texts, data=st.binary(), personal=st.binary())
positions = st.builds(Position, st.integers(0, 10**17), st.integers(0, 10**17))
rows = st.builds(Recorded, texts, wholes, events, positions, st.binary(max_size=32))

ROW = Recorded("s", 1, Event(id="e", type="t", time=5, data=b'{"a":1}', personal=b"\0\xff"), Position(1, 2), b"h" * 32)
NAMES = sorted(row_json(ROW))


@given(rows)
def test_there_and_back(row: Recorded) -> None:
    assert read_row(json.loads(json.dumps(row_json(row)))) == row


@given(st.sampled_from(NAMES), st.recursive(st.none() | st.booleans() | st.floats() | texts, st.lists, max_leaves=3))
def test_a_wrong_value_is_refused_or_read_as_it_stands(name: str, value: object) -> None:
    wrong = row_json(ROW) | {name: value}
    try:
        read = read_row(wrong)
    except ValueError:
        return
    assert row_json(read) == wrong


@pytest.mark.parametrize("name", NAMES)
def test_nothing_may_be_missing(name: str) -> None:
    row = row_json(ROW)
    del row[name]
    with pytest.raises(ValueError, match=r"^(\w+ is no|a position is)"):
        read_row(row)


@pytest.mark.parametrize("value", [True, -1, 2**63, 1.0, "5"])
def test_a_time_is_a_whole_number(value: object) -> None:
    with pytest.raises(ValueError, match="time is no whole number"):
        read_row(row_json(ROW) | {"time": value})


@pytest.mark.parametrize("value", ["AA", "A===", "AAA=\n", "AA_-", "é", None])
def test_bytes_are_strict_base64(value: object) -> None:
    with pytest.raises(ValueError, match="data is no"):
        read_row(row_json(ROW) | {"data": value})


def test_a_newer_service_may_say_more() -> None:
    assert read_row(row_json(ROW) | {"colour": "green"}) == ROW

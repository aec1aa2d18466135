from __future__ import annotations

import pytest

from eventlog.kafka.places import Place, read_places, write_places
from eventlog.port import START, Checkpoint
from rescind.position import BEGINNING, Position


def test_they_come_back() -> None:
    places = {1: Place(Position(1, 42), 57), 0: Place(BEGINNING, -1)}

    assert write_places(places) == '{"0":["0.0",-1],"1":["1.42",57]}'
    assert read_places(write_places(places), [0, 1]) == places


def test_the_start_is_the_beginning_of_every_partition() -> None:
    assert read_places(START, [0, 1]) == {0: Place(), 1: Place()}


def test_a_partition_taken_over_begins_at_its_beginning() -> None:
    assert read_places(Checkpoint('{"0":["1.42",57]}'), [0, 3]) == {0: Place(Position(1, 42), 57), 3: Place()}


def test_a_position_of_another_road_says_nothing_about_offsets() -> None:
    assert read_places(Checkpoint("1.42"), [0]) == {0: Place(Position(1, 42), -1)}


@pytest.mark.parametrize("text", ["junk", "{", '{"0":["1.42"]}', '{"0":["1.42","57"]}', '{"0":[42,57]}', '{"0":["x",57]}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_places(Checkpoint(text), [0])

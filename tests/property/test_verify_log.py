from __future__ import annotations

from dataclasses import replace

from contract.event_log_contract import event, everything
from hypothesis import given
from hypothesis import strategies as st

from eventlog.checkpoints import LogCheckpoint
from eventlog.memory import MemoryLog
from eventlog.port import Recorded
from eventlog.verifying import verify_log


def sound_log() -> list[Recorded]:
    log = MemoryLog()
    log.append("a", [event(str(nth), session=f"s{nth}") for nth in range(12)], expected_version=0)
    return everything(log)


ROWS = sound_log()
LAST = [LogCheckpoint("test", position, ROWS[-1].hash, 1) for position in [ROWS[-1].position] if position]
PLACES = st.integers(0, len(ROWS) - 1)
FIELDS = st.sampled_from(["id", "type", "subject", "session", "data", "personal", "time"])


def changed(row: Recorded, field: str) -> Recorded:
    value = getattr(row.event, field)
    more = {int: 1, str: "x", bytes: b"x"}[type(value)]
    return replace(row, event=replace(row.event, **{field: value + more}))


def accepts(*_: bytes) -> bool:
    return True


def test_control_the_untouched_log_is_sound() -> None:
    assert verify_log(ROWS, LAST, accepts).tampering is None


@given(place=PLACES, field=FIELDS)
def test_any_changed_field_is_found_where_it_is(place: int, field: str) -> None:
    rows = [*ROWS]
    rows[place] = changed(rows[place], field)

    assert verify_log(rows, LAST, accepts).position == ROWS[place].position


@given(order=st.permutations(range(len(ROWS))), kept=st.integers(0, len(ROWS)))
def test_any_other_order_or_selection_is_found_at_its_first_wrong_row(order: list[int], kept: int) -> None:
    rows = [ROWS[nth] for nth in order[:kept]]
    first = next((nth for nth, row in enumerate(ROWS) if nth >= kept or rows[nth] is not row), None)

    verdict = verify_log(rows, LAST, accepts)

    assert verdict.position == (None if first is None else ROWS[first].position)

from __future__ import annotations

import math

from prometheus_client.parser import text_string_to_metric_families

from rescind.errors import Denial
from rescind.metrics import exposition
from rescind.position import Position
from rescind.verifier import Measures

MEASURES = Measures(
    position=Position(2, 41),
    staleness=0.25,
    ready=True,
    denials={Denial.EXPIRED: 3, Denial.SESSION_REVOKED: 1},
    accepted_stale=5,
    checked=6,
    remembered=7,
    connects=8,
    snapshots=9,
    deltas=10,
    problem="",
)
NOTHING_YET = Measures(
    position=None,
    staleness=math.inf,
    ready=False,
    denials={},
    accepted_stale=0,
    checked=0,
    remembered=0,
    connects=0,
    snapshots=0,
    deltas=0,
    problem="the feed was not reached yet",
)


def read(measures: Measures) -> dict[str, float]:
    """As Prometheus' own reader has it."""
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition(measures))
        for sample in family.samples
    }


def test_prometheus_reads_all_measures() -> None:
    assert read(MEASURES) == {
        "rescind_ready": 1,
        "rescind_staleness_seconds": 0.25,
        "rescind_epoch": 2,
        "rescind_position": 41,
        "rescind_accepted_stale_total": 5,
        "rescind_checked_total": 6,
        "rescind_remembered": 7,
        "rescind_feed_connects_total": 8,
        "rescind_feed_snapshots_total": 9,
        "rescind_feed_deltas_total": 10,
        "rescind_feed_problem": 0,
        "rescind_denials_totalexpired": 3,
        "rescind_denials_totalsession_revoked": 1,
    }


def test_before_the_first_snapshot_staleness_is_infinite() -> None:
    found = read(NOTHING_YET)
    assert found["rescind_staleness_seconds"] == math.inf
    assert (found["rescind_ready"], found["rescind_feed_problem"]) == (0, 1)

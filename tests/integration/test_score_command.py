"""`python -m services anomaly score` as another program uses it: a line in, a line out, before the next is written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchmarks.traffic.params import draw
from benchmarks.traffic.playing import play, populate
from benchmarks.traffic.shipped import Shipped

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def command() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    asked = [sys.executable, "-m", "services", "anomaly", "score"]
    with subprocess.Popen(asked, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdin, process.stdout
        process.stdin.close()
        assert process.wait(20) == 0


class Asked:
    """A scorer at the other end of a pipe; each answer is read before the next line is written."""

    def __init__(self, into: IO[bytes], out: IO[bytes]) -> None:
        self.into, self.out = into, out

    def judge(self, event: dict[str, object]) -> tuple[float, str]:
        self.into.write(json.dumps(event).encode() + b"\n")
        self.into.flush()
        answer = json.loads(self.out.readline())
        assert answer["score"] == round(sum(each["llr"] for each in answer["reasons"]), 3)
        return answer["score"], answer["action"]


def test_in_lock_step_it_says_what_the_core_says() -> None:
    population = populate(draw(7, users=12, days=12))
    with command() as (into, out):
        asked = [(each.score, each.action) for each in play(population, Asked(into, out))]
    shipped = [(each.score, each.action) for each in play(population, Shipped())]
    assert asked == shipped
    assert {"none", "stepup"} <= {action for _, action in asked}

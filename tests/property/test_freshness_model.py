"""However the network delays, repeats, drops and reorders: what a verifier calls fresh it has, and what it refused stays refused.

The service is a history of dated revocations, now and then restored from a backup. The verifier may get any delta and any
snapshot of any moment at any time, and the answers to its questions as late as the network likes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from kit.feed_server import ISS, ended
from kit.probing import claims_of

from rescind.changes import encode_change
from rescind.frames import Delta, Snapshot
from rescind.freshness import Freshness
from rescind.local_list import LocalList, OutOfStep
from rescind.position import Position
from rescind.revocations import RevocationList

SESSIONS = range(5)


@dataclass(frozen=True)
class Moment:
    """The service right after a change."""

    at: float
    position: Position
    revoked: frozenset[int]
    delta: Delta | None


@dataclass(frozen=True)
class Answer:
    """What was answered, and when it was asked."""

    asked_at: float
    head: Position


class Network(RuleBasedStateMachine):
    freshness_kind: type[Freshness] = Freshness
    keep_ms = 1e12

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.history = [Moment(0.0, Position(1, 0), frozenset(), None)]
        self.answers: list[Answer] = []
        self.refused: set[int] = set()
        self.freshness = self.freshness_kind(lambda: self.now)
        self.local = LocalList(keep_ms=self.keep_ms, clock=lambda: self.now)

    @rule(sn=st.sampled_from(SESSIONS))
    def revoke(self, sn: int) -> None:
        last = self.history[-1]
        position = Position(last.position.epoch, last.position.seq + 1)
        delta = Delta(last.position, position, (encode_change(ended(sn)),), "")
        self.history.append(Moment(self.now, position, last.revoked | {sn}, delta))

    @rule(back=st.integers(0, 5))
    def restore(self, back: int) -> None:
        kept = self.history[max(0, len(self.history) - 1 - back)]
        epoch = self.history[-1].position.epoch + 1
        self.history.append(Moment(self.now, Position(epoch, 0), kept.revoked, None))

    @rule(passed=st.integers(1, 1000))
    def wait(self, passed: int) -> None:
        self.now += passed
        self.local.forget()

    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        delta = data.draw(st.sampled_from(self.history)).delta
        if delta is not None:
            with suppress(OutOfStep):
                self.local.apply(delta)
                self._moved()

    @rule(data=st.data())
    def load(self, data: st.DataObject) -> None:
        moment = data.draw(st.sampled_from(self.history))
        listed = RevocationList()
        listed.apply(moment.position, [ended(sn) for sn in moment.revoked])
        with suppress(OutOfStep):
            self.local.load(Snapshot("", moment.position, listed.digest(), ""), listed.snapshot())
            self._moved()

    @rule()
    def ask(self) -> None:
        self.answers.append(Answer(self.now, self.history[-1].position))

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        answer = data.draw(st.sampled_from(self.answers))
        self.freshness.acked(answer.asked_at, answer.head, 0, {ISS: 0})

    @invariant()
    def what_it_calls_fresh_it_has(self) -> None:
        complete_at = self.now - self.freshness.age_ms(ISS)
        position = self.local.position
        if position is not None:
            known = [each for each in self.history if each.at < complete_at and each.position.epoch == position.epoch]
            assert not known or known[-1].revoked <= self._refuses()

    @invariant()
    def what_it_refused_stays_refused(self) -> None:
        assert self.refused <= self._refuses()

    def _moved(self) -> None:
        if self.local.position is not None:
            self.freshness.applied(self.local.position)
            self.refused |= self._refuses()

    def _refuses(self) -> set[int]:
        return {sn for sn in SESSIONS if self.local.position is not None and self.local.judge(claims_of(sn))}


class AnswerIsEnough(Freshness):
    """Broken on purpose: an answer counts before its head is applied."""

    def acked(self, asked_at: float, head: Position, age_ms: float, ages: object) -> None:
        super().acked(asked_at, self.position or head, age_ms, ages)  # type: ignore[arg-type]


class Careless(Network):
    freshness_kind = AnswerIsEnough


class Forgetful(Network):
    keep_ms = 0.0


LIMITS = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestNetwork = Network.TestCase
TestNetwork.settings = LIMITS


SEARCH = settings(LIMITS, max_examples=2000, derandomize=True, database=None, phases=[Phase.generate])


@pytest.mark.parametrize("broken", [Careless, Forgetful])
def test_the_model_finds_what_is_broken(broken: type[Network]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=SEARCH)

"""One session against a naive model that remembers everything that ever happened and decides from that."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from kit.issuing import START
from kit.session_states import HERE, SETTINGS, THERE, new_session, refreshed

from rescind.vocabulary import Effect, Reason
from services.issuer.decisions import session as steps
from services.issuer.decisions import tokens
from services.issuer.decisions.presence import Presence
from services.issuer.decisions.rotation import Rotation
from services.issuer.decisions.tokens import RefreshToken
from services.issuer.errors import InvalidToken, IssuerError, SessionEnded, SessionSuspended, StepUpRequired

DEVICES = {"here": HERE, "there": THERE}


@dataclass
class Presented:
    at: int
    device: str


@dataclass
class Model:
    """`first[g]`: when and from where generation g was first presented. `late`: parents that were answered late."""

    made: int = 1
    first: dict[int, Presented] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    ends: dict[str, str] = field(default_factory=dict)  # revocation -> "final", "liftable" or "hold"

    def expected(self, generation: int, device: str, now: int) -> str:
        """What presenting this generation must lead to, and the memory of it."""
        for kind, answer in (("final", "ended"), ("liftable", "suspended"), ("hold", "step_up")):
            if kind in self.ends.values():
                return answer
        if generation == self.made:
            self.first[generation] = Presented(now, device)
            self.made += 1
            return "new"
        child = generation + 1
        if child != self.made or self.first[generation].device != device or self._too_late(generation, now):
            self.ends["reuse"] = "final"
            return "ended"
        return "same"

    def _too_late(self, generation: int, now: int) -> bool:
        if now <= self.first[generation].at + SETTINGS.race_window * 1000:
            return False
        self.late.add(generation)
        return all(each in self.late for each in range(generation, generation - SETTINGS.late_replays - 1, -1))


class SessionMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.session = new_session()
        self.model = Model()
        self.children: dict[int, str] = {1: self.text(self.session.rotation)}
        self.revocations = 0

    def text(self, rotation: Rotation) -> str:
        token = RefreshToken(SETTINGS.iss, self.session.sid, rotation.generation, rotation.iat, rotation.exp, rotation.kid)
        return tokens.write(token, b"k" * 32, self.session.secret)

    @rule(ms=st.sampled_from([0, 1, 1_000, 29_999, 30_000, 30_001, 600_000]))
    def wait(self, ms: int) -> None:
        self.now += ms

    @rule(back=st.sampled_from([0, 0, 0, 1, 1, 2, 5]), device=st.sampled_from(["here", "here", "here", "there"]))
    def present(self, back: int, device: str) -> None:
        self._present(back, device)

    @rule(delays=st.lists(st.sampled_from([0, 29_999, 30_000, 30_001, 30_001, 600_000]), min_size=1, max_size=5))
    def lose_answers(self, delays: list[int]) -> None:
        """So many rotations in a row whose answer was lost; the client asks again after the delay."""
        for delay in delays:
            self._present(0, "here")
            self.now += delay
            self._present(1, "here")

    def _present(self, back: int, device: str) -> None:
        generation = max(1, self.model.made - back)
        expected = self.model.expected(generation, device, self.now)
        presence: Presence = DEVICES[device]
        decision = refreshed(self.session, generation, now=self.now, presence=presence)
        self.session = decision.session
        assert answer(decision.refusal, self.session.rotation, self.children) == expected
        if decision.refusal is None:
            made = self.session.rotation.generation
            text = self.text(self.session.rotation)
            assert self.children.setdefault(made, text) == text  # the same child byte for byte, or a first one
            assert made == self.model.made

    @rule(kind=st.sampled_from(["final", "liftable", "hold"]))
    def revoke(self, kind: str) -> None:
        if "final" in self.model.ends.values():
            return
        self.revocations += 1
        name = f"r{self.revocations}"
        effect = Effect.HOLD if kind == "hold" else Effect.END
        reason = Reason.LOGOUT if kind == "final" else Reason.ANOMALY
        self.session = steps.revoke(self.session, revocation_id=name, effect=effect, reason=reason, by="x", now=self.now).session
        self.model.ends[name] = kind

    @rule(data=st.data())
    def lift(self, data: st.DataObject) -> None:
        liftable = sorted(name for name, kind in self.model.ends.items() if kind != "final")
        if liftable:
            name = data.draw(st.sampled_from(liftable))
            self.session = steps.reinstate(self.session, revocation_id=name).session
            del self.model.ends[name]

    @invariant()
    def one_token_is_current(self) -> None:
        assert self.session.rotation.generation == self.model.made
        assert bool(self.session.closed_at) == ("final" in self.model.ends.values())


def answer(refusal: IssuerError | None, rotation: Rotation, children: dict[int, str]) -> str:
    match refusal:
        case None:
            return "same" if rotation.generation in children else "new"
        case SessionEnded():
            return "ended"
        case SessionSuspended():
            return "suspended"
        case StepUpRequired():
            return "step_up"
        case InvalidToken():
            return "invalid"
    return "unknown"


TestSession = SessionMachine.TestCase
TestSession.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

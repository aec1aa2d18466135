"""The folded list says of every token what a naive look at all facts says, and folding again gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rescind.changes import decode_change, encode_change
from rescind.claims import Claims
from rescind.errors import Denial
from rescind.events.revocation import (
    Fact,
    RevocationExtended,
    RevocationLifted,
    RevocationMade,
    SourceAdded,
    SourceRemoved,
)
from rescind.position import Position
from rescind.revocations import Change, Cut, RevocationList
from rescind.vocabulary import Target, TargetType, subject_name
from services.revocation.decisions.folding import Folded, fold

ISSUERS = ("https://a.example", "https://b.example")
IDS = ("r0", "r1", "r2", "r3")
SESSIONS = range(6)
EFFECTS = ("end", "hold")

Fold = Callable[[Folded, Position, Fact], Sequence[Change]]


def subject(sn: int) -> str:
    return "alice" if sn % 2 else "bob"


def token(iss: str, sn: int, *, iat: int, cv: int) -> Claims:
    return Claims(
        iss=iss,
        sub=subject(sn),
        aud=("api",),
        exp=2**40,
        iat=iat,
        jti=f"jti{sn}",
        client_id=f"client{sn % 3}",
        sid=f"sid{sn}",
        sn=sn,
        cv=cv,
        auth_time=10 + sn,
        kid=f"kid{sn % 2}",
    )


TOKENS = [token(iss, sn, iat=iat, cv=cv) for iss in ISSUERS for sn in SESSIONS for iat in (11, 14) for cv in (0, 2)]

ids = st.sampled_from(IDS)
isses = st.sampled_from(ISSUERS)
sns = st.sampled_from(SESSIONS)
seconds = st.integers(9, 17)
versions = st.integers(0, 3)


def made(cls: type[RevocationMade | RevocationExtended], **fields: object) -> Fact:
    return cls(reason="admin", by="client:x", at=1, **fields)  # type: ignore[arg-type]


@st.composite
def sessions(draw: st.DrawFn) -> Fact:
    sn = draw(sns)
    return made(
        draw(st.sampled_from([RevocationMade, RevocationExtended])),
        revocation_id=draw(ids),
        target_type="session",
        iss=draw(isses),
        target_id=f"sid{sn}",
        sn=draw(st.sampled_from([-1, sn])),
        effect=draw(st.sampled_from(EFFECTS)),
    )


@st.composite
def cuts_by_number(draw: st.DrawFn) -> Fact:
    iss = draw(isses)
    return made(
        draw(st.sampled_from([RevocationMade, RevocationExtended])),
        revocation_id=draw(ids),
        target_type="subject",
        iss=iss,
        target_id=subject_name(iss, draw(st.sampled_from(["alice", "bob"]))),
        effect=draw(st.sampled_from(EFFECTS)),
        cut_sn=draw(sns),
        cut_except=draw(st.sampled_from([-1, *SESSIONS])),
    )


@st.composite
def cuts_by_time(draw: st.DrawFn) -> Fact:
    iss = draw(isses)
    kind = draw(st.sampled_from(["subject", "client", "issuer"]))
    names = {
        "subject": subject_name(iss, draw(st.sampled_from(["alice", "bob"]))),
        "client": f"client{draw(st.integers(0, 2))}",
        "issuer": iss,
    }
    return made(
        RevocationMade,
        revocation_id=draw(ids),
        target_type=kind,
        iss=iss,
        target_id=names[kind],
        effect="end",
        cut_auth_time=draw(seconds),
    )


@st.composite
def wholes(draw: st.DrawFn) -> Fact:
    kind = draw(st.sampled_from(["token", "key"]))
    return made(
        RevocationMade,
        revocation_id=draw(ids),
        target_type=kind,
        iss=draw(isses),
        target_id=f"jti{draw(sns)}" if kind == "token" else f"kid{draw(st.integers(0, 1))}",
        effect="end",
    )


@st.composite
def refreshes(draw: st.DrawFn) -> Fact:
    iss = draw(isses)
    name = subject_name(iss, draw(st.sampled_from(["alice", "bob"])))
    common = {"revocation_id": draw(ids), "target_type": "subject", "iss": iss, "target_id": name, "effect": "refresh"}
    if draw(st.booleans()):
        return made(RevocationMade, iat=draw(seconds), **common)
    return made(draw(st.sampled_from([RevocationMade, RevocationExtended])), cv=draw(versions), **common)


lifts = st.builds(RevocationLifted, revocation_id=ids, iss=isses, by=st.just("client:x"), at=st.just(1))
additions = st.builds(
    SourceAdded,
    iss=isses,
    own=st.just(True),
    client_id=st.just("c"),
    max_session_life=st.just(0),
    by=st.just("b"),
    at=st.integers(9_000, 17_000),
)
removals = st.builds(SourceRemoved, iss=isses, by=st.just("b"), at=st.just(1))
facts = st.lists(
    st.one_of(
        sessions(), cuts_by_number(), cuts_by_number(), cuts_by_time(), wholes(), refreshes(), lifts, lifts, additions, removals
    ),
    max_size=24,
)


# the naive model: look at everything, every time


@dataclass(frozen=True)
class Naive:
    said: Sequence[Fact]

    def judge(self, claims: Claims) -> str:
        lifted = {(fact.iss, fact.revocation_id) for fact in self.said if isinstance(fact, RevocationLifted)}
        found = set()
        for fact in self.said:
            if isinstance(fact, RevocationMade | RevocationExtended) and (fact.iss, fact.revocation_id) not in lifted:
                if fact.effect == "refresh":
                    found |= {"refresh"} if self.outdates(fact, claims) else set()
                elif covers(fact, claims):
                    found.add(fact.effect)
        if self.removed(claims):
            found.add("end")
        return next((each for each in ("end", "hold", "refresh") if each in found), "")

    def outdates(self, fact: RevocationMade | RevocationExtended, claims: Claims) -> bool:
        if (fact.iss, fact.target_id) != (claims.iss, claims.subject):
            return False
        if fact.cv >= 0:
            return claims.cv < fact.cv
        answered = any(
            isinstance(other, RevocationMade | RevocationExtended)
            and (other.iss, other.revocation_id, other.target_id) == (fact.iss, fact.revocation_id, fact.target_id)
            and other.effect == "refresh"
            and other.cv >= 0
            for other in self.said
        )
        return not answered and isinstance(fact, RevocationMade) and claims.iat <= fact.iat

    def removed(self, claims: Claims) -> bool:
        gone, until = False, -1
        for fact in self.said:
            if isinstance(fact, SourceRemoved) and fact.iss == claims.iss:
                gone = True
            if isinstance(fact, SourceAdded) and fact.iss == claims.iss and gone:
                gone, until = False, fact.at // 1000
        return gone or claims.auth_time <= until


def covers(fact: RevocationMade | RevocationExtended, claims: Claims) -> bool:
    names = {
        "session": claims.sid,
        "token": claims.jti,
        "subject": claims.subject,
        "client": claims.client_id,
        "key": claims.kid,
        "issuer": claims.iss,
    }
    if fact.iss != claims.iss or names[fact.target_type] != fact.target_id:
        return False
    if fact.target_type in ("session", "token", "key"):
        return True
    by_number = claims.sn <= fact.cut_sn and claims.sn != fact.cut_except
    return by_number or (isinstance(fact, RevocationMade) and claims.auth_time <= fact.cut_auth_time)


WORDS = {
    Denial.SESSION_REVOKED: "end",
    Denial.TOKEN_REVOKED: "end",
    Denial.KEY_REVOKED: "end",
    Denial.STEP_UP_REQUIRED: "hold",
    Denial.TOKEN_OUTDATED: "refresh",
}


def folded(said: Sequence[Fact], step: Fold, *, at_once: int = 1) -> RevocationList:
    """Fold facts and send what changes over the wire, `at_once` facts a delta."""
    state, listed, changes = Folded(), RevocationList(Position(1, 0)), []
    for seq, fact in enumerate(said, start=1):
        changes += [decode_change(encode_change(change)) for change in step(state, Position(1, seq), fact)]
        if seq % at_once == 0 or seq == len(said):
            listed.apply(Position(1, seq), changes)
            changes = []
    return listed


def property_of(step: Fold) -> Callable[[], None]:
    @settings(max_examples=300, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(said=facts, at_once=st.integers(1, 7))
    def agrees(said: Sequence[Fact], at_once: int) -> None:
        listed, naive = folded(said, step), Naive(said)
        for claims in TOKENS:
            denied = listed.judge(claims)
            assert (WORDS[denied.reason] if denied else "") == naive.judge(claims)
        coalesced = folded(said, step, at_once=at_once)
        assert coalesced.digest() == listed.digest()
        assert RevocationList.load(listed.snapshot()).digest() == listed.digest()

    return agrees


def test_the_list_agrees_with_a_naive_model() -> None:
    property_of(fold)()


# variants with the mistakes that one makes


def forgets_the_lift(state: Folded, position: Position, fact: Fact) -> Sequence[Change]:
    """A part that arrives after the lift counts."""
    changes = fold(state, position, fact)
    if isinstance(fact, RevocationLifted):
        found = state.of(fact.iss).revocations[fact.revocation_id]
        found.parts, found.lifted = (), False
    return changes


def lifts_the_target(state: Folded, position: Position, fact: Fact) -> Sequence[Change]:
    """A lift frees the target, whoever else revoked it."""
    changes = fold(state, position, fact)
    return [Change(change.target, None) for change in changes] if isinstance(fact, RevocationLifted) else changes


def lifts_one_part(state: Folded, position: Position, fact: Fact) -> Sequence[Change]:
    """Only the first part of a revocation is lifted."""
    changes = fold(state, position, fact)
    return changes[:1] if isinstance(fact, RevocationLifted) else changes


def the_last_cut_wins(state: Folded, position: Position, fact: Fact) -> Sequence[Change]:
    """A later cut-off replaces the older one, a lifted one takes it along."""
    changes = fold(state, position, fact)
    if isinstance(fact, RevocationMade):
        of = state.of(fact.iss)
        for target in of.naming:
            if fact.revocation_id in of.naming[target]:
                of.naming[target] = (fact.revocation_id,)
    return changes


def any_exception_stands(state: Folded, position: Position, fact: Fact) -> Sequence[Change]:
    """A session that one cut-off excepts is excepted from all."""
    changes = fold(state, position, fact)
    if isinstance(fact, RevocationMade) and fact.cut_except >= 0:
        return [_excepting(change, fact.cut_except) for change in changes]
    return changes


def _excepting(change: Change, sn: int) -> Change:
    verdict = change.verdict
    if verdict is None or verdict.end is None or change.target.type is not TargetType.SUBJECT:
        return change
    return Change(
        Target(change.target.type, change.target.iss, change.target.id),
        type(verdict)(end=Cut(verdict.end.sn, sn, verdict.end.auth_time), hold=verdict.hold, reason=verdict.reason),
    )


BROKEN = [forgets_the_lift, lifts_the_target, lifts_one_part, the_last_cut_wins, any_exception_stands]


@pytest.mark.parametrize("step", BROKEN)
def test_the_naive_model_finds_each_mistake(step: Fold) -> None:
    with pytest.raises(AssertionError):
        property_of(step)()

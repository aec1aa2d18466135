"""Guarantees 3 and 5: the list that is folded anew from its log is the live one, byte for byte, also while it is written to."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from kit.revocation_service import ISS, Issuer, opened
from sqlalchemy import Engine

from eventlog.port import Checkpoint
from eventlog.sql.log import SqlLog
from eventlog.sql.sequencer import Sequencer
from rescind.events.revocation import RevocationLifted
from rescind.events.session import SessionRevoked
from rescind.events.subject import SubjectRevoked
from rescind.position import BEGINNING, Position
from rescind.revocations import RevocationList
from rescind.vocabulary import Effect, Reason, TargetType, subject_name
from services.principal import Principal
from services.revocation.decisions.commands import MakeRevocation
from services.revocation.decisions.facts import fact_of
from services.revocation.decisions.folding import Folded, fold
from services.revocation.errors import NotFound
from services.revocation.service import Revocation

CALLER = Principal("c", "back-end", None, -1, frozenset({"revocations:write"}))
WRITES = 60

Rebuild = Callable[[SqlLog, Position], RevocationList]


def rebuilt(log: SqlLog, upto: Position, *, without: type | None = None) -> RevocationList:
    """Fold the log up to a position, in batches as they come."""
    state, listed, position = Folded(), RevocationList(), BEGINNING
    while position < upto:
        for recorded in log.read(Checkpoint(str(position)), limit=7).records:
            position = recorded.position or BEGINNING
            if position > upto:
                return listed
            fact = fact_of(recorded)
            skipped = without is not None and isinstance(fact, without)
            listed.apply(position, () if skipped else fold(state, position, fact))
    return listed


def revoke_and_lift(revocation: Revocation, seed: int) -> None:
    """An admin who revokes things, lifts some of them, and revokes them again."""
    chance = random.Random(seed)  # noqa: S311  (a test's dice)
    made: list[str] = []
    for _ in range(WRITES):
        if made and chance.random() < 0.4:
            with suppress(NotFound):
                revocation.revocations.lift(chance.choice(made), CALLER)
            continue
        kind = chance.choice([TargetType.SESSION, TargetType.SUBJECT, TargetType.TOKEN, TargetType.CLIENT])
        effect = chance.choice([Effect.END, Effect.HOLD]) if kind in (TargetType.SESSION, TargetType.SUBJECT) else Effect.END
        command = MakeRevocation(
            target_type=kind,
            target_id=f"x{chance.randrange(4)}",
            effect=effect,
            reason=chance.choice([Reason.ADMIN, Reason.ANOMALY]),
        )
        made.append(revocation.revocations.make(command, CALLER).revocation.first.revocation_id)


def issue_and_answer(revocation: Revocation, seed: int) -> None:
    """An issuer that ends sessions itself, and answers what others revoked."""
    chance, issuer = random.Random(seed), Issuer(revocation)  # noqa: S311  (a test's dice)
    for n in range(WRITES):
        sn = chance.randrange(8)
        known = revocation.log.read(limit=1000).records
        outside = [each.stream.removeprefix("revocation-") for each in known if each.event.type == "revocation.made.v1"]
        answers = bool(outside) and chance.random() < 0.5
        revocation_id = chance.choice(outside) if answers else f"own{n}"
        if chance.random() < 0.5:
            issuer.send(
                SubjectRevoked(
                    revocation_id=revocation_id,
                    name=subject_name(ISS, f"x{chance.randrange(4)}"),
                    sn=sn,
                    except_sn=chance.choice([-1, chance.randrange(8)]),
                    effect="end",
                    reason="admin",
                    by="user",
                    answers=answers,
                )
            )
        else:
            issuer.send(
                SessionRevoked(
                    revocation_id=revocation_id,
                    sid=f"x{sn}",
                    sn=sn,
                    effect="end",
                    reason="logout",
                    by="user",
                    answers=answers,
                )
            )


def live_digests(revocation: Revocation, stop: threading.Event) -> dict[Position, str]:
    """Keep the live list's digest at every position where it stood."""
    found: dict[Position, str] = {}
    while not stop.is_set():
        revocation.projector.step()
        found[revocation.projector.listed.position] = revocation.projector.listed.digest()
    while revocation.projector.step():
        pass
    found[revocation.projector.listed.position] = revocation.projector.listed.digest()
    return found


def test_a_rebuild_during_live_writes_ends_in_the_same_digest(engine: Engine) -> None:
    with opened(engine) as revocation, ThreadPoolExecutor(5) as pool:
        stop, written = threading.Event(), threading.Event()
        numbering = pool.submit(Sequencer(revocation.log).run, stop)
        living = pool.submit(live_digests, revocation, written)
        writers = [pool.submit(revoke_and_lift, revocation, seed) for seed in (1, 2)]
        writers.append(pool.submit(issue_and_answer, revocation, 3))
        during: list[RevocationList] = []
        try:
            while not all(each.done() for each in writers):
                head = revocation.log.head()[0]
                during.append(rebuilt(revocation.log, head))  # while the writers go on
            for each in writers:
                each.result()
            Sequencer(revocation.log).number()
        finally:
            written.set()
            stop.set()
        digests = living.result()
        numbering.result()
    head, last = max(digests), rebuilt(revocation.log, max(digests))
    assert head.seq >= 2 * WRITES
    assert last.digest() == digests[head]
    compared = [each for each in during if each.position in digests and each.position.seq > 1]
    assert compared, "no rebuild stood where the live list did"
    assert all(each.digest() == digests[each.position] for each in compared)
    # and a fold that forgets something is seen
    assert rebuilt(revocation.log, head, without=RevocationLifted).digest() != digests[head]


def test_a_restarted_projector_stands_where_the_old_one_stood(engine: Engine) -> None:
    with opened(engine) as revocation:
        issuer = Issuer(revocation)
        for sn in range(20):
            issuer.send(SessionRevoked(revocation_id=f"r{sn}", sid="s", sn=sn, effect="end", reason="logout", by="user"))
        Sequencer(revocation.log).number()
        revocation.projector.step()
        with opened(engine) as again:
            again.projector.step()
            assert again.projector.listed.digest() == revocation.projector.listed.digest()
            assert again.projector.listed.position == Position(1, 21)


@pytest.mark.parametrize("upto", [1, 5, 12])
def test_a_rebuild_stops_where_it_should(engine: Engine, upto: int) -> None:
    with opened(engine) as revocation:
        issuer = Issuer(revocation)
        for sn in range(12):
            issuer.send(SessionRevoked(revocation_id=f"r{sn}", sid="s", sn=sn, effect="end", reason="logout", by="user"))
        Sequencer(revocation.log).number()
        assert rebuilt(revocation.log, Position(1, upto)).position == Position(1, upto)

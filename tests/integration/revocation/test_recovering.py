"""A database that was put back gets again, from its own topic, what nobody else would send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from kit.revocation_service import Issuer, opened
from sqlalchemy import Engine, delete

from eventlog.errors import StoreUnavailable
from eventlog.port import START, Batch, Checkpoint, Recorded
from eventlog.sql.sequencer import Sequencer
from rescind.events.session import SessionRevoked
from services.revocation.recovering import Recovering
from services.revocation.service import Revocation


@dataclass
class Topic:
    records: Sequence[Recorded]
    away: bool = False
    read_times: int = 0

    def read(self, after: Checkpoint = START, *, limit: int = 500, wait: float = 0.0) -> Batch:  # noqa: ARG002
        self.read_times += 1
        if self.away:
            raise StoreUnavailable("Kafka is away")
        at = int(after or 0)
        return Batch(tuple(self.records[at : at + 2]), Checkpoint(str(at + 2)))

    def close(self) -> None:
        pass


def ended(sn: int) -> SessionRevoked:
    return SessionRevoked(revocation_id=f"r{sn}", sid=f"sid{sn}", sn=sn, effect="end", reason="logout", by="user", answers=False)


def ids(revocation: Revocation) -> list[str]:
    Sequencer(revocation.log).number()
    return [each.event.id for each in revocation.log.read().records]


def test_what_the_topic_alone_has_is_written_again_once(engine: Engine) -> None:
    with opened(engine) as revocation:
        topic = Topic(())
        recovering = Recovering(revocation.log, revocation.tables, lambda: topic)
        assert (recovering.step(), topic.read_times) == (0, 0)
        Issuer(revocation).send(ended(1), ended(2), ended(3))
        before, topic.records = ids(revocation), revocation.log.read().records
        events = revocation.tables.log.events
        with engine.begin() as connection:  # put back to where only the first was there
            connection.execute(delete(events).where(events.c.id.in_(before[2:])))
        assert (recovering.step(), ids(revocation)) == (0, before[:2]), "the control: nobody noticed yet"
        revocation.log.raise_epoch()
        topic.away = True
        with pytest.raises(StoreUnavailable):
            recovering.step()
        topic.away = False
        assert recovering.step() == 2
        assert sorted(ids(revocation)) == sorted(before)
        assert recovering.step() == 0

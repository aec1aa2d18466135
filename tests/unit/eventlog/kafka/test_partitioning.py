from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from contract.event_log_contract import event

from eventlog.kafka.partitioning import key_of, partition_of
from eventlog.port import Recorded


def record(subject: str = "", stream: str = "stream") -> Recorded:
    return Recorded(stream, 1, event("1", subject=subject))


def test_what_concerns_an_account_stays_together() -> None:
    assert key_of(record("account", "session-1")) == key_of(record("account", "session-2")) == "account"
    assert key_of(record(stream="logins-2026-11-24")) == "logins-2026-11-24"


@pytest.mark.parametrize(("key", "partition"), [("", 9), ("a", 4), ("account", 0), ("ü", 2)])
def test_the_choice_never_changes(key: str, partition: int) -> None:
    """The numbers are what Kafka's own `Utils.murmur2` gives: records that are there would be looked for elsewhere."""
    assert partition_of(replace(record(stream=key)), 12) == partition


def test_all_partitions_are_used() -> None:
    assert set(Counter(partition_of(record(f"account-{nth}"), 12) for nth in range(1000))) == set(range(12))

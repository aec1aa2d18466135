from __future__ import annotations

from collections.abc import Iterator

import pytest
from limits.storage import MemoryStorage

from services.issuer.api.throttling import Attempt, Limits, Throttle, open_storage
from services.issuer.errors import Throttled

LIMITS = Limits(per_account=3, per_network=6, window=900)
OWNER = Attempt("ada", "198.51.100.0/24", device="known")


@pytest.fixture
def throttle() -> Iterator[Throttle]:
    storage = MemoryStorage()
    yield Throttle(LIMITS, storage)
    storage.timer.cancel()


def fail(throttle: Throttle, attempt: Attempt, times: int) -> None:
    for _ in range(times):
        throttle.check(attempt)
        throttle.failed(attempt)


def is_throttled(throttle: Throttle, attempt: Attempt) -> bool:
    try:
        throttle.check(attempt)
    except Throttled as error:
        return 0 < error.retry_after <= LIMITS.window
    return False


def test_an_account_stands_so_many_failures(throttle: Throttle) -> None:
    fail(throttle, Attempt("ada", "a"), 2)
    assert not is_throttled(throttle, Attempt("ada", "a"))
    fail(throttle, Attempt("ada", "b"), 1)
    assert is_throttled(throttle, Attempt("ada", "c")), "from whatever network"
    assert not is_throttled(throttle, Attempt("bob", "a"))


def test_checking_counts_nothing(throttle: Throttle) -> None:
    for _ in range(20):
        throttle.check(Attempt("ada", "a"))


def test_a_network_stands_so_many_failures_over_all_accounts(throttle: Throttle) -> None:
    for account in "uvwxyz":
        fail(throttle, Attempt(account, "a"), 1)
    assert is_throttled(throttle, Attempt("ada", "a"))
    assert not is_throttled(throttle, Attempt("ada", "b"))


def test_strangers_cannot_lock_the_owner_out(throttle: Throttle) -> None:
    fail(throttle, Attempt("ada", "attacker"), 3)
    assert is_throttled(throttle, Attempt("ada", "198.51.100.0/24")), "without its device cookie the owner is a stranger"
    assert not is_throttled(throttle, OWNER)


def test_a_known_device_has_a_limit_of_its_own(throttle: Throttle) -> None:
    fail(throttle, OWNER, 3)
    assert is_throttled(throttle, OWNER)
    assert not is_throttled(throttle, Attempt("ada", "elsewhere"))


def test_a_known_device_is_not_exempt_from_its_networks_limit(throttle: Throttle) -> None:
    for account in "uvwxyz":
        fail(throttle, Attempt(account, OWNER.network), 1)
    assert is_throttled(throttle, OWNER)


def test_names_and_addresses_do_not_stand_in_the_storage() -> None:
    storage = MemoryStorage()
    fail(Throttle(LIMITS, storage), Attempt("ada", "198.51.100.0/24"), 1)
    storage.timer.cancel()
    assert "ada" not in str(storage.events)
    assert "198.51" not in str(storage.events)


def test_the_storage_is_chosen_by_url() -> None:
    storage = open_storage("memory://")
    assert isinstance(storage, MemoryStorage)
    storage.timer.cancel()
    with pytest.raises(TypeError):
        open_storage("async+memory://")

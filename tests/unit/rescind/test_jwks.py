from __future__ import annotations

import json
import threading

import pytest
from kit.tokens import Signer

from rescind.jwks import RemoteKeys, read_key_set

ONE, TWO = Signer.of("ES256", "one"), Signer.of("ES256", "two")
ALGORITHMS = ("ES256",)


def key_set(*signers: Signer) -> bytes:
    return json.dumps({"keys": [signer.jwk for signer in signers]}).encode()


class Issuer:
    """An issuer's key set, its clock and a count of how often it was asked."""

    def __init__(self, *signers: Signer) -> None:
        self.body: bytes | Exception = key_set(*signers)
        self.now = 1000.0
        self.fetches = 0
        self.changes = 0
        self.keys = RemoteKeys(self.fetch, algorithms=ALGORITHMS, clock=lambda: self.now, changed=self.changed)

    def fetch(self) -> bytes:
        self.fetches += 1
        if isinstance(self.body, Exception):
            raise self.body
        return self.body

    def changed(self) -> None:
        self.changes += 1

    def knows(self, kid: str) -> bool:
        return self.keys(kid) is not None


def test_nothing_is_fetched_before_it_is_needed() -> None:
    issuer = Issuer(ONE)
    assert issuer.fetches == 0
    assert issuer.knows("one")
    assert issuer.knows("one")
    assert issuer.fetches == 1
    assert issuer.keys.loaded


def test_a_made_up_kid_costs_one_fetch_per_cool_down() -> None:
    issuer = Issuer(ONE)
    for number in range(50):
        assert not issuer.knows(f"made-up-{number}")
    assert issuer.fetches == 1
    issuer.now += 30
    for number in range(50):
        assert not issuer.knows(f"made-up-{number}")
    assert issuer.fetches == 2


def test_a_new_key_is_found_and_a_withdrawn_one_is_refused() -> None:
    issuer = Issuer(ONE)
    assert issuer.knows("one")
    issuer.body = key_set(TWO)
    issuer.now += 30
    assert issuer.knows("two")
    assert not issuer.knows("one")
    assert issuer.changes == 1


def test_a_withdrawn_key_is_noticed_without_a_new_one() -> None:
    issuer = Issuer(ONE, TWO)
    assert issuer.knows("one")
    issuer.body = key_set(TWO)
    issuer.now += 299
    assert issuer.knows("one")
    issuer.now += 1
    assert not issuer.knows("one")


def test_an_unchanged_set_disturbs_nobody() -> None:
    issuer = Issuer(ONE)
    assert issuer.knows("one")
    issuer.now += 300
    issuer.keys.renew()
    assert (issuer.fetches, issuer.changes) == (2, 0)


@pytest.mark.parametrize("failure", [OSError("down"), b"", b"<html>", b'{"keys":5}', b'{"keys":[],"keys":[]}'])
def test_old_keys_stay_through_failures_but_not_for_ever(failure: Exception | bytes) -> None:
    issuer = Issuer(ONE)
    assert issuer.knows("one")
    issuer.body = failure
    issuer.now += 86_399
    assert issuer.knows("one")
    issuer.now += 1
    assert not issuer.knows("one")
    assert not issuer.keys.loaded
    issuer.body = key_set(ONE)
    issuer.now += 2
    assert issuer.knows("one")


def test_an_issuer_that_is_down_is_asked_again_every_two_seconds() -> None:
    issuer = Issuer(ONE)
    issuer.body = OSError("down")
    for _ in range(5):
        assert not issuer.knows("one")
    issuer.now += 2
    assert not issuer.knows("one")
    assert issuer.fetches == 2


def test_a_renewal_keeps_nobody_waiting_who_knows_the_key() -> None:
    issuer = Issuer(ONE)
    assert issuer.knows("one")
    issuer.now += 300
    started, go_on = threading.Event(), threading.Event()

    def slow() -> bytes:
        started.set()
        assert go_on.wait(10)
        return key_set(ONE)

    issuer.keys._fetch = slow
    renewal = threading.Thread(target=issuer.keys.renew)
    renewal.start()
    assert started.wait(10)
    assert issuer.knows("one")  # would hang here if it waited
    go_on.set()
    renewal.join(10)
    assert not renewal.is_alive()


def test_keys_that_are_not_for_us_are_left_out() -> None:
    data = json.dumps({"keys": [5, {}, ONE.jwk, TWO.jwk | {"use": "enc"}, Signer.of("RS256", "rsa").jwk]}).encode()
    assert read_key_set(data, ALGORITHMS).keys() == {"one"}


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"keys":{}}', key_set(ONE, ONE)])
def test_what_is_no_key_set_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"key|object"):
        read_key_set(data, ALGORITHMS)

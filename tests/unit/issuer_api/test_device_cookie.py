from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuer.api.device_cookie import Device, knows, named, new_device, read, remember, write

KEY = b"k" * 32


def test_a_device_knows_the_accounts_that_signed_in_from_it() -> None:
    device = remember(remember(new_device(), "ada", KEY), "bob", KEY)
    back = read(write(device))
    assert back == device
    assert knows(device, "ada", KEY)
    assert knows(device, "bob", KEY)


def test_it_does_not_know_others() -> None:
    device = remember(new_device(), "ada", KEY)
    assert not knows(device, "eve", KEY)
    assert not knows(Device(new_device().id, device.proofs), "ada", KEY), "a proof of another device"
    assert not knows(device, "ada", b"x" * 32), "another key"
    assert not knows(new_device(), "ada", KEY)


def test_it_keeps_the_latest_accounts_and_none_twice() -> None:
    device = new_device()
    for number in range(10):
        device = remember(device, f"account {number}", KEY)
    device = remember(device, "account 9", KEY)
    assert [knows(device, f"account {number}", KEY) for number in range(10)] == [False, False, *[True] * 8]
    assert read(write(device)) == device


@pytest.mark.parametrize("cookie", [None, "", "short", "x" * 23, f"{'x' * 22}.no", ".".join(["x" * 22] * 10), "ä" * 22])
def test_anything_else_is_no_device(cookie: str | None) -> None:
    assert read(cookie) is None


@given(st.text(max_size=300))
def test_any_text_is_a_device_or_none(text: str) -> None:
    device = read(text)
    assert device is None or write(device) == text


@pytest.mark.parametrize("header", ["short", "x" * 129, "a b c d e", "", None, "device-\xe4"])
def test_a_client_may_name_its_device(header: str | None) -> None:
    assert named("phone-0815") == "phone-0815"
    assert named(header) is None

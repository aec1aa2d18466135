from __future__ import annotations

import pytest

from rescind.events.personal import Personal
from services.anomaly.comparing import device_changed, is_telling, network, network_changed


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("::ffff:198.51.100.7", "198.51.100.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("8.8.8.8", "8.8.8.0/24"),
        ("10.1.2.3", "None"),
        ("192.168.0.9", "None"),
        ("100.64.3.3", "None"),
        ("127.0.0.1", "None"),
        ("::1", "None"),
        ("fe80::1", "None"),
        ("fd00::1", "None"),
        ("unknown", "None"),
        ("", "None"),
        (None, "None"),
    ],
)
def test_a_network_is_the_24_or_64_around_a_public_address(ip: str | None, expected: str) -> None:
    assert str(network(ip)) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (Personal(ip="198.51.100.7"), Personal(ip="198.51.100.200"), False),
        (Personal(ip="198.51.100.7"), Personal(ip="203.0.113.7"), True),
        (Personal(ip="198.51.100.7", asn=1), Personal(ip="203.0.113.7", asn=1), False),
        (Personal(ip="198.51.100.7", asn=1), Personal(ip="203.0.113.7", asn=2), True),
        (Personal(ip="198.51.100.7", asn=1), Personal(ip="203.0.113.7"), True),
        (Personal(ip="198.51.100.7"), Personal(ip="2001:db8::1"), None),
        (Personal(ip="198.51.100.7", asn=1), Personal(ip="2001:db8::1", asn=1), False),
        (Personal(ip="198.51.100.7", asn=1), Personal(ip="2001:db8::1", asn=2), True),
        (Personal(ip="10.0.0.1"), Personal(ip="203.0.113.7"), None),
        (Personal(), Personal(ip="203.0.113.7"), None),
        (Personal(ip="203.0.113.7"), Personal(), None),
    ],
)
def test_another_network_is_another_prefix_of_another_provider(before: Personal, now: Personal, expected: bool | None) -> None:
    assert network_changed(before, now) is expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (Personal(device="a"), Personal(device="a"), False),
        (Personal(device="a"), Personal(device="b"), True),
        (Personal(device="a", browser="Safari", os="iOS"), Personal(device="b", browser="Safari", os="iOS"), True),
        (Personal(device="a", browser="Safari", os="iOS"), Personal(browser="Safari", os="iOS"), False),
        (Personal(device="a", browser="Safari", os="iOS"), Personal(browser="Chrome", os="iOS"), True),
        (Personal(browser="Safari", os="iOS"), Personal(browser="Safari", os="macOS"), True),
        (Personal(device="a"), Personal(browser="Safari", os="iOS"), None),
        (Personal(browser="Safari"), Personal(browser="Chrome"), None),
        (Personal(), Personal(device="a"), None),
    ],
)
def test_another_device_is_another_id_or_else_another_family(before: Personal, now: Personal, expected: bool | None) -> None:
    assert device_changed(before, now) is expected


@pytest.mark.parametrize(
    ("personal", "expected"),
    [
        (None, False),
        (Personal(), False),
        (Personal(ip="203.0.113.7"), False),
        (Personal(device="a"), False),
        (Personal(ip="10.0.0.1", device="a"), False),
        (Personal(ip="203.0.113.7", browser="Safari"), False),
        (Personal(ip="203.0.113.7", device="a"), True),
        (Personal(ip="203.0.113.7", browser="Safari", os="iOS"), True),
    ],
)
def test_only_what_tells_both_is_compared_with_later(personal: Personal | None, expected: bool) -> None:
    assert is_telling(personal) is expected

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuer.api.addresses import client_address, network_of, parse_address, parse_network

PROXIES = tuple(map(parse_network, ["10.0.0.0/8", "2001:db8:ffff::/48", "fe80::/10"]))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        (" 198.51.100.7 ", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::ffff:198.51.100.7]:443", "198.51.100.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
    ],
)
def test_an_address_is_read_however_it_is_written(text: str, address: str) -> None:
    assert str(parse_address(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "unknown", "_hidden", "<script>", "0x7f.1", "010.0.0.1", "127.1", "1.2.3.4:5:6", "1.2.3", "[1.2.3.4"),
        *("localhost", "'", "2001:db8::1:443:::", "٣.1.1.1", "%eth0", "1.2.3.4\x00", "1" * 5000),
    ],
)
def test_garbage_is_no_address(text: str) -> None:
    assert parse_address(text) is None


def test_a_mapped_network_is_the_ipv4_network_it_means() -> None:
    assert str(parse_network("::ffff:10.0.0.0/104")) == "10.0.0.0/8"
    assert str(parse_network("::ffff:10.1.2.3")) == "10.1.2.3/32"
    with pytest.raises(ValueError, match="does not appear"):
        parse_network("everywhere")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),  # a stranger's header says nothing
        ("10.0.0.5", ["203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.0.0.5", ["203.0.113.9"], "203.0.113.9"),  # a dual-stack socket's peer
        ("::ffff:10.0.0.5", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("2001:db8:ffff::5", ["2001:db8::9"], "2001:db8::9"),
        ("fe80::5%eth0", ["2001:db8::9"], "2001:db8::9"),
        ("10.0.0.5", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),  # the client wrote the left one itself
        ("10.0.0.5", ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),  # also in a line of its own
        ("10.0.0.5", ["1.1.1.1, 203.0.113.9, 10.0.0.6"], "203.0.113.9"),
        ("10.0.0.5", ["10.9.9.9, 10.0.0.6"], "10.9.9.9"),  # a client inside the proxies' network
        ("10.0.0.5", ["203.0.113.9, unknown"], None),
        ("10.0.0.5", ["203.0.113.9,"], None),
        ("10.0.0.5", ["203.0.113.9, <script>, 10.0.0.6"], None),
        ("10.0.0.5", [], None),  # the proxy is not the client
        ("", [], None),
        (None, ["203.0.113.9"], None),
        ("testclient", ["203.0.113.9"], None),
    ],
)
def test_forwarded_addresses_count_only_from_configured_proxies(
    peer: str | None, forwarded: list[str], client: str | None
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


def test_without_proxies_nothing_forwarded_counts() -> None:
    assert client_address("127.0.0.1", ["203.0.113.9"], ()) == "127.0.0.1"


@given(st.one_of(st.none(), st.text(max_size=60)), st.lists(st.text(max_size=60), max_size=5))
def test_whatever_is_forwarded_the_answer_is_an_address_or_unknown(peer: str | None, forwarded: list[str]) -> None:
    client = client_address(peer, forwarded, PROXIES)
    assert client is None or str(parse_address(client)) == client


def test_a_network_is_a_24_or_a_64() -> None:
    assert network_of("198.51.100.7") == network_of("::ffff:198.51.100.250") == "198.51.100.0/24"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of(None) == "unknown"

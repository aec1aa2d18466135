import pytest

from services.issuer.decisions.binding import Anchor, anchored, compare
from services.issuer.decisions.presence import UNKNOWN, Presence, known_other_network, network, same_device


def here(
    ip: str | None = "192.0.2.7", *, asn: int | None = None, device: str | None = "d", browser: str | None = "Chrome"
) -> Presence:
    return Presence(ip=ip, asn=asn, device=device, browser=browser)


@pytest.mark.parametrize(
    ("first", "then", "differs"),
    [
        (here(), here("192.0.2.250"), False),
        (here(), here("192.0.3.7"), True),
        (here("2001:db8:1:2::1"), here("2001:db8:1:2:ffff::9"), False),
        (here("2001:db8:1:2::1"), here("2001:db8:1:3::1"), True),
        (here(), here("2001:db8::1"), True),
        (here(asn=64500), here("2001:db8::1", asn=64500), False),
        (here(asn=64500), here("2001:db8::1", asn=64501), True),
        (here(asn=64500), here("2001:db8::1"), True),
        (here(), here(None), False),
        (here(None), here(), False),
        (here(asn=64500), here("198.51.100.1", asn=64500), True),
    ],
)
def test_the_same_network_is_a_24_or_a_64(first: Presence, then: Presence, differs: bool) -> None:
    assert compare(anchored(first), then).ip_differs is differs


def test_the_first_network_of_the_other_family_is_remembered() -> None:
    anchor = compare(anchored(here(asn=64500)), here("2001:db8:1:2::1", asn=64500)).anchor
    assert anchor.networks == ("192.0.2.0/24", "2001:db8:1:2::/64")
    assert compare(anchor, here("2001:db8:1:3::1", asn=64500)).ip_differs
    assert not compare(anchor, here("192.0.2.9", asn=64500)).ip_differs


def test_a_network_unknown_at_sign_in_is_learned_once() -> None:
    anchor = compare(anchored(here(None)), here()).anchor
    assert compare(anchor, here("198.51.100.1")).ip_differs


@pytest.mark.parametrize(
    ("first", "then", "differs"),
    [
        (here(), here(), False),
        (here(), here(device="other"), True),
        (here(), here(device=None), True),  # a thief has the token, not the device's cookie
        (here(device=None), here(device="new"), False),
        (here(), here(browser="Firefox"), True),
        (here(), here(browser=None), False),
        (here(), UNKNOWN, False),  # a back end that tells nothing
    ],
)
def test_the_same_device_has_its_id_and_family(first: Presence, then: Presence, differs: bool) -> None:
    assert compare(anchored(first), then).device_differs is differs


@pytest.mark.parametrize(
    ("bind_ip", "bind_device", "words", "ends"),
    [
        ("off", "off", "", False),
        ("log", "log", "ip device", False),
        ("log", "off", "ip", False),
        ("strict", "log", "ip device", True),
        ("off", "strict", "device", True),
    ],
)
def test_what_a_difference_does_was_chosen_at_sign_in(bind_ip: str, bind_device: str, words: str, ends: bool) -> None:
    bound = compare(anchored(here()), here("198.51.100.1", device="other"))
    assert (bound.words(bind_ip, bind_device), bound.strict(bind_ip, bind_device)) == (words, ends)


def test_nothing_known_is_no_difference() -> None:
    bound = compare(Anchor(), UNKNOWN)
    assert not bound.ip_differs
    assert not bound.device_differs


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (here(), here("198.51.100.1"), True),
        (UNKNOWN, UNKNOWN, True),
        (here(device=None), here(device=None), True),
        (here(), here(device=None), False),
        (here(device=None), here(), False),
        (here(), here(browser="Firefox"), False),
    ],
)
def test_unknown_matches_unknown_and_nothing_else(one: Presence, other: Presence, same: bool) -> None:
    assert same_device(one, other) is same


def test_networks_differ_only_where_both_are_known() -> None:
    assert known_other_network(here(asn=1), here(asn=2))
    assert not known_other_network(here(asn=1), here())
    assert not known_other_network(here(), here("198.51.100.1"))


def test_a_network_has_one_name() -> None:
    assert network("192.0.2.200") == "192.0.2.0/24"
    assert network("2001:db8:0:0:1::") == "2001:db8::/64"

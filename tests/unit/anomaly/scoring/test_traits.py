from __future__ import annotations

from dataclasses import replace

import pytest
from kit.acts import HOME, HOSTING, MOBILE

from services.anomaly.scoring.traits import device, network, spot, traits


@pytest.mark.parametrize(
    ("one", "other"),
    [("81.2.69.10", "81.2.69.250"), ("2a00:1450:4001:800::1", "2a00:1450:4001:800:ffff::9"), ("::ffff:81.2.69.10", "81.2.69.77")],
)
def test_one_network(one: str, other: str) -> None:
    assert network(one) == network(other) != 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("81.2.69.10", "81.2.70.10"), ("2a00:1450:4001:800::1", "2a00:1450:4001:801::1")],
)
def test_two_networks(one: str, other: str) -> None:
    assert network(one) != network(other)


PRIVATE = "10.0.0.1 127.0.0.1 192.168.1.1 172.20.0.1 100.64.0.1 169.254.1.1 224.0.0.1 0.1.2.3 fe80::1 fc00::1 ::1 ::ffff:10.0.0.1"
UNREADABLE = ["", "1.2.3", "1.2.3.256", "a.b.c.d", "nonsense:"]
SYSTEMS = ["Windows", "Mac OS X", "macOS", "iOS", "iPadOS", "Android", "Linux", "Ubuntu", "Fedora", "Chrome OS", "Other"]
BROWSERS = """Chrome,Chrome Mobile,Chrome Mobile iOS,Chrome Mobile WebView,Firefox,Firefox Mobile,Firefox iOS,Safari,Mobile Safari
Mobile Safari UI/WKWebView,Edge,Edge Mobile,Opera,Opera Mobile,Samsung Internet,Brave,Vivaldi,Yandex Browser,DuckDuckGo,UC Browser
IE,HeadlessChrome,Python Requests,curl""".replace("\n", ",").split(",")


@pytest.mark.parametrize("ip", [*PRIVATE.split(), *UNREADABLE])
def test_private_and_unreadable_addresses_are_no_network(ip: str) -> None:
    assert network(ip) == 0


def test_systems_and_browsers_in_use_do_not_collide() -> None:
    assert len({device(each, browser) for each in SYSTEMS for browser in BROWSERS}) == len(SYSTEMS) * len(BROWSERS)


def test_only_fixed_lines_have_a_place() -> None:
    assert spot(HOME) is not None
    assert spot(MOBILE) is None
    assert spot(HOSTING) is None
    assert spot(replace(HOME, lat=None)) is None


def test_what_is_unknown_is_nothing() -> None:
    seen = traits(replace(HOME, ip=None, asn=None, cc=None, cls=None, lat=None, ua=None, br=None, ver=None, os=None))
    assert (seen.net, seen.asn, seen.cc, seen.cls, seen.spot, seen.device, seen.ver, seen.scripted) == (
        0, 0, 0, None, None, 0, 0, False)  # fmt: skip


@pytest.mark.parametrize("ua", ["python-requests/2.32.3", "curl/8.5", "Go-http-client/2.0", "Mozilla/5.0 HeadlessChrome/131"])
def test_scripts_are_seen(ua: str) -> None:
    assert traits(replace(HOME, ua=ua)).scripted
